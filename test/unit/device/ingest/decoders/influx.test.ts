// The examples of the line protocol's documentation.

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLines } from "../../../../../device/ingest/decoders/influx-line.js";
import { decoderLab } from "../../../../support/decoder-lab.js";

const parse = (text: string) =>
  parseLines(text, 10).map(
    (point) => point && { ...point, tags: Object.fromEntries(point.tags), fields: { ...point.fields } },
  );

test.each([
  [
    'myMeasurement,tag1=value1,tag2=value2 fieldKey="fieldValue" 1556813561098000000',
    {
      ...{ measurement: "myMeasurement", tags: { tag1: "value1", tag2: "value2" } },
      ...{ fields: { fieldKey: "fieldValue" }, timestamp: "1556813561098000000" },
    },
  ],
  ["myMeasurement fieldKey=1.0", { fields: { fieldKey: 1 }, tags: {}, timestamp: undefined }],
  ["myMeasurement fieldKey=-1.234456e+78", { fields: { fieldKey: -1.234456e78 } }],
  ["myMeasurement fieldKey=12485903i,u=12485903u", { fields: { fieldKey: 12485903, u: 12485903 } }],
  ["m a=true,b=T,c=False,d=f", { fields: { a: true, b: true, c: false, d: false } }],
  ['my\\ Measurement fieldKey="string value"', { measurement: "my Measurement" }],
  [
    'myMeasurement fieldKey="\\"string\\" within a string"',
    { fields: { fieldKey: '"string" within a string' } },
  ],
  [
    "myMeasurement,tag\\ Key1=tag\\ Value1,tag\\ Key2=tag\\ Value2 fieldKey=100",
    { tags: { "tag Key1": "tag Value1", "tag Key2": "tag Value2" } },
  ],
  ["m,tag=a\\,b\\=c f\\=1=2", { tags: { tag: "a,b=c" }, fields: { "f=1": 2 } }],
  [
    'myMeasurement,tagKey=🍭 fieldKey="Launch 🚀" 1556813561098000000',
    { tags: { tagKey: "🍭" }, fields: { fieldKey: "Launch 🚀" } },
  ],
  ['m f="C:\\\\dir\\a",g="two\nlines" 5', { fields: { f: "C:\\dir\\a", g: "two\nlines" }, timestamp: "5" }],
  ["m __proto__=1,constructor=2", { fields: { ["__proto__"]: 1, constructor: 2 } }],
])("%s", (line, point) => {
  expect(parse(line)).toMatchObject([point]);
});

test("comments and empty lines are passed over, and a bad line leaves its neighbours alone", () => {
  const points = parse("# a comment\n\nm a=1 1\r\nm a= 2\nm 3\nm,t a=1\nm a=1 x\n m a=2 4\n");
  expect(points.map((point) => point?.timestamp)).toEqual([
    "1",
    undefined,
    undefined,
    undefined,
    undefined,
    "4",
  ]);
  expect(points.at(-1)?.fields).toEqual({ a: 2 });
});

const name = fc.string({ minLength: 1, unit: fc.constantFrom(...'ab ,=é😀"0') });
const escaped = (text: string) => text.replace(/[ ,=]/g, "\\$&");
// String(-0) is "0": + 0 leaves out the one number that is not written as itself.
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);
const value = fc.oneof(double, fc.boolean(), fc.string());

test("what is written as the protocol says is read back", () => {
  const point = fc.record({
    tags: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }),
    fields: fc.dictionary(name, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 4 }), (points) => {
      const lines = points.map(({ tags, fields }) => {
        const tagText = Object.entries(tags).map(([key, text]) => `,${escaped(key)}=${escaped(text)}`);
        const fieldText = Object.entries(fields).map(([key, each]) => `${escaped(key)}=${written(each)}`);
        return `m${tagText.join("")} ${fieldText.join(",")} 7`;
      });
      expect(parse(lines.join("\n"))).toEqual(
        points.map((each) => ({ ...each, measurement: "m", timestamp: "7" })),
      );
    }),
  );
});

function written(each: number | boolean | string): string {
  return typeof each === "string" ? `"${each.replace(/["\\]/g, "\\$&")}"` : String(each);
}

test.each(["s", "ms", "us", "ns"])("timestamps in %s", async (precision) => {
  const decode = await decoderLab(`{ decode: { influx: { precision: ${precision} } } }`);
  const digits = { s: "", ms: "000", us: "000000", ns: "000000000" }[precision];
  expect(decode(`m a=1 1767225600${digits}`).readings[0]?.timeMs).toBe(1767225600000);
});

test("a message may be about several entities; a line without the tag is counted", async () => {
  const decode = await decoderLab(
    '{ decode: { influx: { measurement: cpu } }, entity: "{tag.host}-{tag.measurement}" }',
  );
  const { readings, faults } = decode(
    "cpu,host=x a=1 1\ncpu,host=y a=2 1\nmem,host=x a=3 1\ncpu a=4 1\ncpu,host=x c=5 1",
  );
  expect(readings.map(({ entity, values }) => [entity, values])).toEqual([
    ["x-cpu", { a: 1, b: null }],
    ["y-cpu", { a: 2, b: null }],
  ]);
  expect(faults.toSorted()).toEqual(["no-entity", "no-field", "not-telemetry"]);
});
