// What the values of a message become, the same for every format.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fnv1a } from "../../../../../device/ingest/decoders/text.js";
import { conversions } from "../../../../../shared/task/unit-pairs.js";
import { decoderLab } from "../../../../support/decoder-lab.js";

describe("text", () => {
  test("in a list is its place, -1 and counted when it is not there", async () => {
    const decode = await decoderLab("{ time: arrival, text: { a: [off, heat, cool] } }");
    expect(decode('{"a":"heat"}').readings[0]?.values.a).toBe(1);
    expect(decode('{"a":"Heat"}')).toMatchObject({
      readings: [{ values: { a: -1 } }],
      faults: ["unknown-text"],
    });
    expect(decode('{"a":["heat"]}')).toMatchObject({ readings: [{ values: { a: null } }], badValues: 1 });
  });

  test("a list may hold what YAML and JSON read as truths and numbers", async () => {
    const decode = await decoderLab("{ time: arrival, text: { a: [true, 21, x] } }");
    expect([true, 21, "x"].map((a) => decode(JSON.stringify({ a })).readings[0]?.values.a)).toEqual([
      0, 1, 2,
    ]);
  });

  // draft-eastlake-fnv, appendix C: 32-bit FNV-1a.
  test.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("the hash of %j", (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });

  test("as hash is exact in a double", async () => {
    const decode = await decoderLab("{ time: arrival, text: { a: hash } }");
    expect(decode('{"a":"foobar"}').readings[0]?.values.a).toBe(0xbf9cf968);
  });

  test("as number is digits in quotes", async () => {
    const decode = await decoderLab("{ time: arrival, text: { a: number, b: number } }");
    expect(decode('{"a":" 21.5","b":7}').readings[0]?.values).toEqual({ a: 21.5, b: 7 });
    expect(decode('{"a":"NaN","b":"1e999"}')).toMatchObject({
      readings: [{ values: { a: null, b: null } }],
      badValues: 2,
    });
  });

  test("that is too long is a bad value, whatever its rule", async () => {
    const decode = await decoderLab("{ time: arrival, text: { a: hash } }");
    expect(decode(JSON.stringify({ a: "x".repeat(257), b: "x".repeat(257) }))).toMatchObject({
      badValues: 2,
    });
  });
});

test.each([
  ["ON", 1],
  ["off", 0],
  ["True", 1],
  ["false", 0],
  ["open", 1],
  ["Closed", 0],
  ["online", 1],
  ["OFFLINE", 0],
])("the word %s is %i where the field is a number", async (word, value) => {
  const decode = await decoderLab("{ time: arrival }");
  expect(decode(JSON.stringify({ a: word })).readings[0]?.values.a).toBe(value);
});

describe("units", () => {
  test("are converted by pairs of names or by factors, vectors element by element", async () => {
    const decode = await decoderLab(
      "{ time: arrival, vectors: { b: 2 }, convert: { a: F to C, b: { times: 2, plus: 1 } } }",
    );
    expect(decode('{"a":212,"b":[1,2]}').readings[0]?.values).toEqual({ a: 100, b: Float32Array.of(3, 5) });
  });

  test("every pair has its inverse", () => {
    for (const [name, there] of Object.entries(conversions)) {
      const [from, to] = name.split(" to ");
      const back = conversions[`${to} to ${from}`];
      if (name === "K to C" || back === undefined) continue;
      fc.assert(
        fc.property(fc.double({ min: -1e3, max: 1e3, noNaN: true }), (x) => {
          expect((x * there.times + there.plus) * back.times + back.plus).toBeCloseTo(x, 6);
        }),
        { numRuns: 20 },
      );
    }
    expect(conversions["F to C"]).toBeDefined();
  });
});

describe("entity and id", () => {
  test("a tag is a value of the message, by its path if need be; without it the message is counted", async () => {
    const decode = await decoderLab(
      '{ time: arrival, entity: "{topic.0}-{tag.room}-{tag.meta.n}", id: meta.p }',
    );
    const { readings, faults } = decode(
      '[{"a":1,"room":"x","meta":{"n":7,"p":"p-1"}},{"a":2,"room":"y","meta":{"n":8,"p":{}}},{"a":3,"room":"","meta":{"n":1}},{"a":4}]',
    );
    expect(readings.map(({ entity, id }) => [entity, id])).toEqual([
      ["site-x-7", "p-1"],
      ["site-y-8", undefined],
    ]);
    expect(faults).toEqual(["no-entity", "no-entity"]);
  });

  test("a source's own template goes before the task's", async () => {
    const decode = await decoderLab('{ time: arrival, entity: "{device}" }', { entity: "{topic.9}" });
    expect(decode('{"a":1}').readings[0]?.entity).toBe("pi-1");
  });
});

test("a reading that may be set aside brings the message it came in, others do not", async () => {
  const message = '{"a":1}';
  for (const rule of ["late: { then: side }", "checks: { a: { max: 5, onFail: quarantine } }"]) {
    const decode = await decoderLab(`{ time: arrival, ${rule} }`);
    expect(Buffer.from(decode(message).readings[0]!.raw!).toString()).toBe(message);
  }
  const decode = await decoderLab("{ time: arrival, checks: { a: { max: 5 } } }");
  expect(decode(message).readings[0]).not.toHaveProperty("raw");
});

test("more readings than one message may hold are counted and left alone", async () => {
  const decode = await decoderLab("{ time: arrival }");
  const { readings, faults } = decode(JSON.stringify(Array.from({ length: 10_005 }, () => ({ a: 1 }))));
  expect(readings.length).toBeLessThanOrEqual(10_000);
  expect(faults).toContain("too-many");
});
