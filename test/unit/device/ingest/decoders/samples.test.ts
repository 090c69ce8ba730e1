import fc from "fast-check";
import { expect, test } from "vitest";
import { ARRIVAL_MS, decoderLab } from "../../../../support/decoder-lab.js";

const write = {
  i8: {
    bytes: 1,
    put: (view: DataView, at: number, x: number) => view.setInt8(at, x),
    of: fc.integer({ min: -128, max: 127 }),
  },
  u8: { bytes: 1, put: (view: DataView, at: number, x: number) => view.setUint8(at, x), of: fc.nat(255) },
  i16: {
    bytes: 2,
    put: (view: DataView, at: number, x: number, le: boolean) => view.setInt16(at, x, le),
    of: fc.integer({ min: -32768, max: 32767 }),
  },
  u16: {
    bytes: 2,
    put: (view: DataView, at: number, x: number, le: boolean) => view.setUint16(at, x, le),
    of: fc.nat(65535),
  },
  i32: {
    bytes: 4,
    put: (view: DataView, at: number, x: number, le: boolean) => view.setInt32(at, x, le),
    of: fc.integer(),
  },
  f32: {
    bytes: 4,
    put: (view: DataView, at: number, x: number, le: boolean) => view.setFloat32(at, x, le),
    of: fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  },
} as const;

test.each(
  Object.keys(write).flatMap((type) =>
    ["little", "big"].map((order) => [type as keyof typeof write, order] as const),
  ),
)("%s, %s: what was written is read, for every channel", async (type, order) => {
  const { bytes, put, of } = write[type];
  const decode = await decoderLab(
    `{ decode: { samples: { type: ${type}, order: ${order}, channels: [a, skipped, b], length: 4, rate: 100Hz } } }`,
  );
  fc.assert(
    fc.property(fc.array(of, { minLength: 12, maxLength: 12 }), (samples) => {
      const view = new DataView(new ArrayBuffer(12 * bytes));
      for (const [i, sample] of samples.entries()) put(view, i * bytes, sample, order === "little");
      const { readings, faults } = decode(new Uint8Array(view.buffer));
      expect(faults).toEqual([]);
      expect(readings[0]?.values).toEqual({
        a: Float32Array.from([0, 3, 6, 9], (at) => samples[at]!),
        b: Float32Array.from([2, 5, 8, 11], (at) => samples[at]!),
      });
    }),
  );
});

const block = (...samples: number[]) => new Uint8Array(Int16Array.from(samples).buffer);

test("several readings in one message follow each other in time; the last sample was taken on arrival", async () => {
  const decode = await decoderLab(
    "{ decode: { samples: { type: i16, channels: [a], length: 2, rate: 4Hz } } }",
    { fields: "a" },
  );
  const { readings } = decode(block(1, 2, 3, 4));
  expect(readings.map(({ timeMs, values }) => [timeMs - ARRIVAL_MS, values.a])).toEqual([
    [-1000, Float32Array.of(1, 2)],
    [-500, Float32Array.of(3, 4)],
  ]);
});

test("scale and offset come before the unit's conversion", async () => {
  const decode = await decoderLab(
    "{ decode: { samples: { type: i16, channels: [a, b], length: 2, rate: 10Hz, scale: 0.5, offset: 1 } }, convert: { b: { times: 10, plus: -1 } } }",
  );
  expect(decode(block(2, 2, 4, 4)).readings[0]?.values).toEqual({
    a: Float32Array.of(2, 3),
    b: Float32Array.of(19, 29),
  });
});

test.each([
  ["u32", "s", (view: DataView) => view.setUint32(4, 1767225600, true)],
  ["u64", "ns", (view: DataView) => view.setBigUint64(4, 1767225600000000000n, true)],
  ["f64", "s", (view: DataView) => view.setFloat64(4, 1767225600, true)],
] as const)("the time of the first sample from the header, %s in %s", async (type, unit, put) => {
  const decode = await decoderLab(
    `{ decode: { samples: { type: i16, channels: [a], length: 2, rate: 10Hz, header: { bytes: 12, time: { at: 4, type: ${type}, unit: ${unit} } } } } }`,
    { fields: "a" },
  );
  const bytes = new Uint8Array(16);
  put(new DataView(bytes.buffer));
  bytes.set(block(5, 6), 12);
  expect(decode(bytes, "site/room", "retained").readings).toMatchObject([
    { timeMs: 1767225600000, values: { a: Float32Array.of(5, 6) } },
  ]);
});

test("a block as base64 beside its time in JSON", async () => {
  const decode = await decoderLab(
    '{ decode: { samples: { type: i16, channels: [a], length: 2, rate: 10Hz, json: d.raw } }, time: { field: t0, unit: ms }, entity: "{tag.unit}" }',
    { fields: "a" },
  );
  const message = (raw: unknown, t0: unknown = 5000) => JSON.stringify({ t0, unit: "pump", d: { raw } });
  const base64 = Buffer.from(block(5, 6)).toString("base64");
  expect(decode(message(base64)).readings).toMatchObject([
    { entity: "pump", timeMs: 5000, values: { a: Float32Array.of(5, 6) } },
  ]);
  expect(decode(message("?")).faults).toEqual(["not-base64"]);
  expect(decode(message(base64, "x")).faults).toEqual(["bad-time"]);
  expect(decode("{}").faults).toEqual(["not-base64"]);
});

test("a block that is no whole number of readings is refused, one with NaN is a missing value", async () => {
  const decode = await decoderLab(
    "{ decode: { samples: { type: f32, channels: [a, b], length: 2, rate: 10Hz } } }",
  );
  expect(decode(new Uint8Array(15)).faults).toEqual(["bad-length"]);
  expect(decode(new Uint8Array(24)).faults).toEqual(["bad-length"]);
  const floats = new Uint8Array(Float32Array.of(1, 2, Number.NaN, 4).buffer);
  expect(decode(floats)).toMatchObject({
    readings: [{ values: { a: null, b: Float32Array.of(2, 4) } }],
    badValues: 1,
  });
});
