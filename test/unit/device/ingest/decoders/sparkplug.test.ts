// Edge nodes played with the reference encoder of the Sparkplug project.

import fc from "fast-check";
import { get } from "sparkplug-payload";
import type { UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { describe, expect, test } from "vitest";
import { decodeState, encodeState } from "../../../../../shared/pipeline/state.js";
import { decoderLab, type TryMessage } from "../../../../support/decoder-lab.js";

const sparkplug = get("spBv1.0");
const T = Date.UTC(2026, 0, 1);

type Metrics = NonNullable<UPayload["metrics"]>;

function encode(seq: number, metrics: Metrics, timestamp = T): Uint8Array {
  return sparkplug!.encodePayload({ timestamp, seq, metrics });
}

const birth: Metrics = [
  { name: "bdSeq", type: "Int64", value: 3 },
  { name: "Inputs/A", alias: 1, type: "Double", value: 1.5 },
  { name: "b", alias: 2, type: "Int32", value: -7 },
  { name: "other", alias: 3, type: "String", value: "x" },
];

function lab(fields = "a, b"): Promise<TryMessage> {
  return decoderLab(
    '{ mqtt: spBv1.0/plant/+/+/#, decode: sparkplug, fields: { a: Inputs/A }, entity: "{tag.group}-{tag.node}" }',
    { fields },
  );
}

const values = ({ readings }: ReturnType<TryMessage>) => readings.map((reading) => reading.values);

describe("a session of an edge node", () => {
  test("names come from the birth, and what a message does not mention is as it was", async () => {
    const decode = await lab();
    expect(decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1").readings).toEqual([
      { source: "air", entity: "plant-n1", timeMs: T, values: { a: 1.5, b: -7 } },
    ]);
    const data = encode(1, [{ alias: 1, type: "Double", value: 2.5, timestamp: T + 5 }]);
    expect(decode(data, "spBv1.0/plant/NDATA/n1")).toEqual({
      readings: [{ source: "air", entity: "plant-n1", timeMs: T + 5, values: { a: 2.5, b: -7 } }],
      ...{ faults: [], badValues: 0 },
    });
  });

  test("metrics of several times are as many readings, and history changes nothing that is held", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    const data = encode(1, [
      { alias: 2, type: "Int32", value: 9, timestamp: T + 20 },
      { alias: 2, type: "Int32", value: 8, timestamp: T + 10 },
      { alias: 1, type: "Double", value: 99, timestamp: T - 10, isHistorical: true },
    ]);
    const { readings } = decode(data, "spBv1.0/plant/NDATA/n1");
    expect(readings.map(({ timeMs, values: of }) => [timeMs - T, of])).toEqual([
      [-10, { a: 99, b: null }],
      [10, { a: 1.5, b: 8 }],
      [20, { a: 1.5, b: 9 }],
    ]);
  });

  test("data of an unknown node asks for its birth, and the command is one that Sparkplug reads", async () => {
    const decode = await lab();
    const decoded = decode(encode(4, [{ alias: 1, type: "Double", value: 2 }]), "spBv1.0/plant/NDATA/n1");
    expect(decoded).toMatchObject({ readings: [], faults: ["no-birth"] });
    const [reply] = decoded.replies ?? [];
    expect(reply?.topic).toBe("spBv1.0/plant/NCMD/n1");
    expect(sparkplug!.decodePayload(reply!.payload).metrics).toMatchObject([
      { name: "Node Control/Rebirth", type: "Boolean", value: true },
    ]);
    const named = decode(encode(5, [{ name: "b", type: "Int32", value: 2 }]), "spBv1.0/plant/NDATA/n1");
    expect(values(named)).toEqual([{ a: null, b: 2 }]);
  });

  test("a gap in seq may have hidden a birth: aliases mean nothing until the next one", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    const data = (seq: number) => encode(seq, [{ alias: 1, type: "Double", value: seq }]);
    const gap = decode(data(2), "spBv1.0/plant/NDATA/n1");
    expect([gap.readings, gap.faults, gap.replies?.length]).toEqual([[], ["seq-gap", "no-birth"], 1]);
    expect(decode(data(3), "spBv1.0/plant/NDATA/n1").faults).toEqual(["no-birth"]);
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    expect(values(decode(data(1), "spBv1.0/plant/NDATA/n1"))).toEqual([{ a: 1, b: -7 }]);
  });

  test("seq goes from 255 to 0", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    for (let i = 1; i < 600; i++) {
      const data = encode(i % 256, [{ alias: 1, type: "Double", value: i }]);
      expect(decode(data, "spBv1.0/plant/NDATA/n1")).toMatchObject({
        faults: [],
        readings: [{ values: { a: i } }],
      });
    }
  });

  test("a death ends the session whose bdSeq it carries, and no later one", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    const death = (bdSeq: number) => encode(0, [{ name: "bdSeq", type: "Int64", value: bdSeq }]);
    const data = (seq: number) =>
      decode(encode(seq, [{ alias: 1, type: "Double", value: 5 }]), "spBv1.0/plant/NDATA/n1");
    expect(decode(death(2), "spBv1.0/plant/NDEATH/n1").faults).toContain("stale-death");
    expect(data(1).readings).toHaveLength(1);
    expect(decode(death(3), "spBv1.0/plant/NDEATH/n1").faults).toEqual(["not-telemetry"]);
    expect(data(2)).toMatchObject({ readings: [], faults: ["no-birth"] });
  });
});

test("sessions cut anywhere and taken up by another instance are as they were", async () => {
  const [steady, first, second] = await Promise.all([lab(), lab(), lab()]);
  const said = fc.record({
    type: fc.constantFrom("NBIRTH", "NDATA", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDATA", "DDEATH"),
    node: fc.constantFrom("n1", "n2"),
    lost: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constant(1)),
    bdSeq: fc.nat(1),
    value: fc.option(fc.nat(9)),
  });
  fc.assert(
    fc.property(fc.array(said, { minLength: 20, maxLength: 40 }), fc.nat(40), (stream, cutAt) => {
      for (const { decode } of [steady, first, second]) decode.memory?.restore(null);
      const seqs = new Map<string, number>();
      stream.forEach(({ type, node, lost, bdSeq, value }, i) => {
        const seq = type === "NBIRTH" ? 0 : (seqs.get(node) ?? 0) + 1 + lost;
        if (type !== "NDEATH") seqs.set(node, seq);
        const session: Metrics = [{ name: "bdSeq", type: "Int64", value: bdSeq }];
        const data: Metrics = [{ alias: 1, type: "Double", value, isNull: value === null }];
        const metrics = type === "NDEATH" ? session : [...session, ...birth.slice(1)];
        const payload = encode(seq, type.endsWith("DATA") ? data : metrics);
        const topic = `spBv1.0/plant/${type}/${node}${type.startsWith("D") ? "/d1" : ""}`;
        if (i === cutAt) second.decode.memory?.restore(decodeState(encodeState(first.decode.memory?.save())));
        const broken = i < cutAt ? first : second;
        expect(broken(payload, topic)).toEqual(steady(payload, topic));
      });
    }),
    { numRuns: 500 },
  );
});

test("what a birth told is known after a restart", async () => {
  const [before, after] = await Promise.all([lab(), lab()]);
  before(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
  const data = encode(1, [{ alias: 1, type: "Double", value: 2.5 }]);
  expect(after(data, "spBv1.0/plant/NDATA/n1").faults).toEqual(["no-birth"]);
  after.decode.memory?.restore(decodeState(encodeState(before.decode.memory?.save())));
  expect(values(after(data, "spBv1.0/plant/NDATA/n1"))).toEqual([{ a: 2.5, b: -7 }]);
});

test("a restart between two births of a node does not make its devices those of the second", async () => {
  const [before, after] = await Promise.all([lab(), lab()]);
  before(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
  before(encode(1, birth), "spBv1.0/plant/DBIRTH/n1/d1");
  after.decode.memory?.restore(decodeState(encodeState(before.decode.memory?.save())));
  after(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
  const data = encode(1, [{ alias: 1, type: "Double", value: 2.5 }]);
  expect(after(data, "spBv1.0/plant/DDATA/n1/d1").faults).toEqual(["no-birth"]);
});

describe("devices behind an edge node", () => {
  const deviceBirth: Metrics = [{ name: "b", alias: 40, type: "Int16", value: -1 }];
  const deviceData: Metrics = [{ alias: 40, type: "Int16", value: -2 }];

  test("are born after it, count in its seq, and are gone with it", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    expect(values(decode(encode(1, deviceBirth), "spBv1.0/plant/DBIRTH/n1/d1"))).toEqual([
      { a: null, b: -1 },
    ]);
    expect(values(decode(encode(2, deviceData), "spBv1.0/plant/DDATA/n1/d1"))).toEqual([{ a: null, b: -2 }]);
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    const orphan = decode(encode(1, deviceData), "spBv1.0/plant/DDATA/n1/d1");
    expect([orphan.faults, orphan.replies?.length]).toEqual([["no-birth"], 1]);
  });

  test("end with their own death", async () => {
    const decode = await lab();
    decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
    decode(encode(1, deviceBirth), "spBv1.0/plant/DBIRTH/n1/d1");
    decode(encode(2, []), "spBv1.0/plant/DDEATH/n1/d1");
    expect(decode(encode(3, deviceData), "spBv1.0/plant/DDATA/n1/d1").faults).toEqual(["no-birth"]);
  });
});

test.each([
  ["Int8", -5],
  ["Int16", -300],
  ["Int32", -70_000],
  ["Int64", -(2 ** 40)],
  ["UInt8", 250],
  ["UInt16", 65_000],
  ["UInt32", 4_000_000_000],
  ["UInt64", 2 ** 52],
  ["Float", 0.5],
  ["Double", -1e-9],
  ["Boolean", true],
  ["DateTime", T],
] as const)("a metric of type %s", async (type, value) => {
  const decode = await lab("b");
  const born = decode(encode(0, [{ name: "b", type, value }]), "spBv1.0/plant/NBIRTH/n1");
  expect(values(born)).toEqual([{ b: Number(value) }]);
});

test("a data message may leave out the type that its birth told", async () => {
  const decode = await lab();
  decode(encode(0, birth), "spBv1.0/plant/NBIRTH/n1");
  // seq 1; alias 1, double_value 4.5, no datatype.
  const data = Buffer.from("120b1001690000000000001240" + "1801", "hex");
  expect(values(decode(data, "spBv1.0/plant/NDATA/n1"))).toEqual([{ a: 4.5, b: -7 }]);
});

test("null is missing, and a data set for a number is a bad value", async () => {
  const decode = await lab();
  const dataSet = { numOfColumns: 1, types: ["Int32" as const], columns: ["x"], rows: [[1]] };
  const metrics: Metrics = [
    { name: "Inputs/A", type: "Double", value: null, isNull: true },
    { name: "b", type: "DataSet", value: dataSet },
  ];
  expect(decode(encode(0, metrics), "spBv1.0/plant/NBIRTH/n1")).toMatchObject({
    readings: [{ values: { a: null, b: null } }],
    badValues: 1,
  });
});

test.each([
  ["cut short", "0880d0eab6"],
  ["cut short within a metric", "1205 0a05 6264"],
  ["groups within groups without end", "0b".repeat(100_000)],
  ["of field 0", "0001"],
  ["of a wire type that is none", "0f"],
  ["a number of more than 64 bits", `18${"ff".repeat(11)}01`],
  ["of more than 10,000 metrics", "1200".repeat(10_001)],
])("a payload that is %s is refused", async (_, hex) => {
  const decode = await lab();
  const bytes = Buffer.from(hex.replace(/\s/g, ""), "hex");
  expect(decode(bytes, "spBv1.0/plant/NBIRTH/n1")).toMatchObject({ readings: [], faults: ["not-sparkplug"] });
});

test("fields that we do not know, or that are written otherwise than they should be, are passed over", async () => {
  const decode = await lab("b");
  // A group, a fixed64, `seq` as bytes and `timestamp` as fixed32 around the metric b, an Int32 of 9.
  const hex = `a306 0801 a406 a106 0000000000000000 1a02 0102 0d 00000000
1207 0a01 62 2003 5009 0880d0eab6b733 1800`;
  const decoded = decode(Buffer.from(hex.replace(/\s/g, ""), "hex"), "spBv1.0/plant/NBIRTH/n1");
  expect(decoded).toMatchObject({ readings: [{ timeMs: T, values: { b: 9 } }], faults: [] });
});

test("commands and hosts' states are no telemetry", async () => {
  const decode = await lab();
  for (const topic of [
    "spBv1.0/plant/NCMD/n1",
    "spBv1.0/STATE/scada",
    "spBv1.0/plant/NDATA/n1/d1",
    "x/y/NDATA/n1",
  ])
    expect(decode(encode(0, birth), topic).faults).toEqual(["not-telemetry"]);
});

test("ten thousand nodes cost no more memory than those that are remembered", async () => {
  const decode = await lab();
  for (let i = 0; i < 10_000; i++) decode(encode(0, birth), `spBv1.0/plant/NBIRTH/n${i}`);
  const data = encode(1, [{ alias: 1, type: "Double", value: 5 }]);
  expect(decode(data, "spBv1.0/plant/NDATA/n1").faults).toEqual(["no-birth"]);
  expect(decode(data, "spBv1.0/plant/NDATA/n9999").readings).toHaveLength(1);
});
