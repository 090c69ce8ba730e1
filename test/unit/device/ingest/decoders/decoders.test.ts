import { describe, expect, test } from "vitest";
import { ARRIVAL_MS, decoderLab, taskWith } from "../../../../support/decoder-lab.js";

describe("json", async () => {
  const decode = await decoderLab("{ time: { field: ts, unit: ms } }");

  test("takes fields by their names, and the entity from the topic", () => {
    expect(decode('{"ts":5000,"a":1.5,"b":true,"c":"x"}')).toEqual({
      readings: [{ source: "air", entity: "room", timeMs: 5000, values: { a: 1.5, b: 1 } }],
      faults: [],
      badValues: 0,
    });
  });

  test("takes an array as several readings, and what is wrong with one leaves the others alone", () => {
    const { readings, faults } = decode('[{"ts":1,"a":1},{"a":2},{"ts":"x"},3,{"ts":4,"a":4}]');
    expect(readings.map((reading) => reading.timeMs)).toEqual([1, 4]);
    expect(faults).toEqual(["no-object", "no-time", "bad-time"]);
  });

  test("a missing field is missing, one of the wrong kind is missing and counted", () => {
    const { readings, badValues } = decode('{"ts":1,"a":null,"b":"12"}');
    expect(readings[0]?.values).toEqual({ a: null, b: null });
    expect(badValues).toBe(1);
  });

  test("follows paths, and only into what the message itself holds", async () => {
    const nested = await decoderLab(
      '{ time: { field: "meta.at", unit: iso }, fields: { a: "DS18B20.Temperature", b: "v[1]" } }',
    );
    const message = '{"meta":{"at":"2026-01-01T10:00:00+01:00"},"DS18B20":{"Temperature":20.5},"v":[1,2]}';
    expect(nested(message).readings).toEqual([
      { source: "air", entity: "room", timeMs: Date.UTC(2026, 0, 1, 9), values: { a: 20.5, b: 2 } },
    ]);
    const inherited = await decoderLab('{ time: arrival, fields: { a: "constructor.length" } }');
    expect(inherited('{"b":1}').readings[0]?.values).toEqual({ a: null, b: 1 });
  });

  test("takes vectors of their declared length", async () => {
    const vector = await decoderLab("{ time: arrival, vectors: { b: 3 } }");
    expect(vector('{"a":1,"b":[1,2,3]}').readings[0]?.values.b).toEqual(Float32Array.of(1, 2, 3));
    expect(vector('{"a":1,"b":[1,2]}')).toMatchObject({ badValues: 1 });
  });

  test.each([
    ["an ISO time without its zone", "iso", '"2026-01-01T10:00:00"'],
    ["a number for an ISO time", "iso", "5"],
    ["text for a number", "s", '"5"'],
    ["a time beyond all integers", "s", "1e300"],
  ])("refuses %s", async (_, unit, value) => {
    const timed = await decoderLab(`{ time: { field: ts, unit: ${unit} } }`);
    expect(timed(`{"ts":${value},"a":1}`)).toMatchObject({ readings: [], faults: ["bad-time"] });
  });

  test("refuses what is no JSON, and a topic that is too short for the entity", () => {
    expect(decode("21.5 C")).toMatchObject({ readings: [], faults: ["not-json"] });
    expect(decode('{"ts":1}', "site")).toMatchObject({ readings: [], faults: ["topic-too-short"] });
  });
});

describe("number", async () => {
  const decode = await decoderLab("{ decode: number, field: a }", { fields: "a", entity: "{device}" });

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
  ["{ decode: number }", "sources.air.field: is missing: expected the field that the message is"],
  [
    "{ decode: number, field: a, time: { unit: s } }",
    'sources.air.time: expected "arrival" with decode: number',
  ],
  ["{ decode: number, field: a, fields: { a: b } }", "sources.air.fields: is not used"],
  [
    "{ decode: text, field: a }",
    "sources.air.text: is missing: expected {a: [off, on]} or {a: hash} with decode: text",
  ],
  ["{ decode: esphome, field: a, id: b }", "sources.air.id: there is no place for an id"],
  ["{ field: a }", "sources.air.field: is not used"],
  ["{ vectors: { b: 1 } }", "sources.air.vectors.b: expected a length of at least 2"],
  ['{ fields: { a: "x..y" } }', "sources.air.fields: expected a path"],
  ['{ time: { field: "x..y" } }', "sources.air.time: expected a path"],
  ['{ id: "x..y" }', "sources.air.id: expected a path"],
  ["{ decode: jsn }", 'did you mean "json"?'],
  ["{ decode: samples }", "sources.air.decode: expected samples with its options"],
  ["{ decode: { csv: { delimeter: x } } }", 'did you mean "delimiter"?'],
  ["{ decode: { tasmota: { zone: Berlin } } }", "expected the IANA name of a time zone"],
  ["{ decode: json, time: message }", 'sources.air.time: expected "arrival" or a field and its unit'],
  ["{ time: { zone: Europe/Berlin } }", "goes with unit: local"],
  ["{ convert: { a: F to K } }", "did you mean"],
  ["{ text: { a: [x, x] } }", "expected each text once"],
  [
    "{ mqtt: spBv1.0/plant/DDATA/#, decode: sparkplug }",
    "expected a filter that covers births and deaths, such as spBv1.0/plant/+/press-1/#, with decode: sparkplug",
  ],
  ['{ entity: "{tag}" }', "sources.air.entity: expected a template"],
  [
    "{ decode: { samples: { type: i16, channels: [a], length: 4, rate: 10, header: { bytes: 8, time: { at: 1 } } } } }",
    "expected a time that lies within the header's bytes",
  ],
])("a source %s is refused: %s", (source, why) => {
  expect(() => taskWith(source)).toThrow(why);
});
