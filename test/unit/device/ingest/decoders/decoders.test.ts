import { describe, expect, test } from "vitest";
import { decoders } from "../../../../../device/ingest/decoders/registry.js";
import { createEntityReader } from "../../../../../device/ingest/entity.js";
import type { DeviceId } from "../../../../../shared/id.js";
import { layOut } from "../../../../../shared/pipeline/layout.js";
import { parseTask } from "../../../../../shared/task/parse.js";

const device = "pi-1" as DeviceId;
const ARRIVAL_MS = Date.UTC(2026, 5, 1);

/** The decoder of a task whose one source is written `source`, and whose features copy `fields`. */
function decoderOf(source: string, fields = "a, b", entity = "{topic.1}") {
  const { task } = parseTask(`task: lab
entity: "${entity}"
sources: { air: ${source} }
features: { from: air, list: [{ copy: [${fields}] }], scale: none }
label: { field: a }
model: { dense: [2] }
`);
  const layout = layOut(task);
  const spec = task.sources[layout.source]!;
  const entityOf = createEntityReader(task.entity, device);
  const options = { name: layout.source, source: spec, fields: layout.fields, entityOf, device };
  const decode = decoders[spec.decode.kind](options);
  return (payload: string, topic = "site/room") =>
    decode({ topic, payload: Buffer.from(payload), arrivalMs: ARRIVAL_MS });
}

describe("json", () => {
  const decode = decoderOf("{ time: { field: ts, unit: ms } }");

  test("takes fields by their names, and the entity from the topic", () => {
    expect(decode('{"ts":5000,"a":1.5,"b":true,"c":"x"}')).toEqual({
      readings: [{ source: "air", entity: "room", timeMs: 5000, values: { a: 1.5, b: 1 } }],
      faults: [],
      badValues: 0,
    });
  });

  test("takes an array as several readings, and what is wrong with one leaves the others alone", () => {
    const { readings, faults } = decode('[{"ts":1,"a":1},{"a":2},{"ts":"x"},3,{"ts":4,"a":4}]');
    expect(readings.map(({ timeMs }) => timeMs)).toEqual([1, 4]);
    expect(faults).toEqual(["no-time", "bad-time", "no-object"]);
  });

  test("a missing field is missing, one of the wrong kind is missing and counted", () => {
    const { readings, badValues } = decode('{"ts":1,"a":null,"b":"12"}');
    expect(readings[0]?.values).toEqual({ a: null, b: null });
    expect(badValues).toBe(1);
  });

  test("follows paths, and only into what the message itself holds", () => {
    const nested = decoderOf(
      '{ time: { field: "meta.at", unit: iso }, fields: { a: "DS18B20.Temperature", b: "v[1]" } }',
    );
    const message = '{"meta":{"at":"2026-01-01T10:00:00+01:00"},"DS18B20":{"Temperature":20.5},"v":[1,2]}';
    expect(nested(message).readings).toEqual([
      { source: "air", entity: "room", timeMs: Date.UTC(2026, 0, 1, 9), values: { a: 20.5, b: 2 } },
    ]);
    const inherited = decoderOf('{ time: arrival, fields: { a: "constructor.length" } }', "a");
    expect(inherited("{}").readings[0]?.values).toEqual({ a: null });
  });

  test("takes vectors of their declared length", () => {
    const vector = decoderOf("{ time: arrival, vectors: { b: 3 } }");
    expect(vector('{"a":1,"b":[1,2,3]}').readings[0]?.values.b).toEqual(Float32Array.of(1, 2, 3));
    expect(vector('{"a":1,"b":[1,2]}')).toMatchObject({ badValues: 1 });
  });

  test.each([
    ["an ISO time without its zone", "iso", '"2026-01-01T10:00:00"'],
    ["a number for an ISO time", "iso", "5"],
    ["text for a number", "s", '"5"'],
    ["a time beyond all integers", "s", "1e300"],
  ])("refuses %s", (_, unit, value) => {
    const timed = decoderOf(`{ time: { field: ts, unit: ${unit} } }`);
    expect(timed(`{"ts":${value},"a":1}`)).toMatchObject({ readings: [], faults: ["bad-time"] });
  });

  test("refuses what is no JSON, and a topic that is too short for the entity", () => {
    expect(decode("21.5 C")).toMatchObject({ readings: [], faults: ["not-json"] });
    expect(decode('{"ts":1}', "site")).toMatchObject({ readings: [], faults: ["topic-too-short"] });
  });
});

describe("number", () => {
  const decode = decoderOf("{ decode: number, field: a, time: arrival }", "a", "{device}");

  test.each([
    ["21.5", 21.5],
    [" -3\n", -3],
    [".5", 0.5],
    ["1e3", 1000],
  ])("%j is %f, at the time it came", (text, value) => {
    expect(decode(text).readings).toEqual([
      { source: "air", entity: "pi-1", timeMs: ARRIVAL_MS, values: { a: value } },
    ]);
  });

  test.each(["", "ON", "21,5", "0x10", "NaN", "Infinity", "1e999", "1".repeat(65)])("%j is none", (text) => {
    expect(decode(text)).toMatchObject({ readings: [], faults: ["not-a-number"] });
  });
});

test.each([
  ["{ decode: number, time: arrival }", "sources.air.field"],
  ["{ decode: number, field: a }", "sources.air.time"],
  ["{ decode: number, field: a, time: arrival, fields: { a: b } }", "sources.air.fields"],
  ["{ field: a }", "sources.air.field"],
  ["{ vectors: { b: 1 } }", "sources.air.vectors.b: expected a length of at least 2"],
  ['{ fields: { a: "x..y" } }', "sources.air.fields.a"],
])("a source %s is refused at %s", (source, where) => {
  expect(() => decoderOf(source)).toThrow(where);
});
