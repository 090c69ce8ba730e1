// The examples of RFC 8428, sections 5 and 6.

import { expect, test } from "vitest";
import { readCbor } from "../../../../../device/ingest/decoders/cbor.js";
import { resolveSenml } from "../../../../../device/ingest/decoders/senml-records.js";
import { ARRIVAL_MS, decoderLab } from "../../../../support/decoder-lab.js";

const multipleDatapoints = [
  {
    ...{ bn: "urn:dev:ow:10e2073a0108006:", bt: 1.276020076001e9, bu: "A", bver: 5 },
    ...{ n: "voltage", u: "V", v: 120.1 },
  },
  { n: "current", t: -5, v: 1.2 },
  { n: "current", t: -4, v: 1.3 },
  { n: "current", t: -3, v: 1.4 },
  { n: "current", t: -2, v: 1.5 },
  { n: "current", t: -1, v: 1.6 },
  { n: "current", v: 1.7 },
];

/** Section 6: the same in CBOR. */
const multipleDatapointsCbor = `87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a
22fb41d303a15b001062236141200500 67766f6c7461676501615602fb405e066666666666
a3006763757272656e74062402fb3ff3333333333333 a3006763757272656e74062302fb3ff4cccccccccccd
a3006763757272656e74062202fb3ff6666666666666 a3006763757272656e74062102f93e00
a3006763757272656e74062002fb3ff999999999999a a3006763757272656e74060002fb3ffb333333333333`;

test("base values hold from their record on, and an own unit goes before the base's (5.1.2)", () => {
  const records = resolveSenml(multipleDatapoints);
  expect(records).toHaveLength(7);
  expect(records).toContainEqual({
    ...{ base: "urn:dev:ow:10e2073a0108006:", name: "urn:dev:ow:10e2073a0108006:current", unit: "A" },
    ...{ time: { kind: "absolute", s: 1276020071.001 }, value: 1.2, sum: undefined },
  });
  expect(records[0]).toMatchObject({ unit: "V", value: 120.1 });
});

test("the CBOR of the RFC says the same as its JSON (6)", () => {
  const bytes = Buffer.from(multipleDatapointsCbor.replace(/\s/g, ""), "hex");
  expect(resolveSenml(readCbor(bytes)?.value)).toEqual(resolveSenml(multipleDatapoints));
});

test("records of one time are one reading, by names with or without the base", async () => {
  const decode = await decoderLab(
    '{ decode: senml, fields: { b: "urn:dev:ow:10e2073a0108006:voltage", a: current } }',
  );
  const { readings, faults } = decode(JSON.stringify(multipleDatapoints));
  expect(faults).toEqual([]);
  expect(readings).toHaveLength(6);
  expect(readings[0]).toMatchObject({ timeMs: 1276020076001, values: { a: 1.7, b: 120.1 } });
  expect(readings[1]).toMatchObject({ timeMs: 1276020071001, values: { a: 1.2, b: null } });
});

test("records of one name are told apart by their units (5.1.3)", async () => {
  const decode = await decoderLab('{ decode: senml, fields: { a: "@%RH", b: "@lat" } }');
  const pack = [
    { bn: "urn:dev:ow:10e2073a01080063", bt: 1320067464, bu: "%RH", v: 20 },
    { u: "lon", v: 24.30621 },
    { u: "lat", v: 60.07965 },
    { t: 60, v: 20.3 },
    { u: "lat", t: 60, v: 60.07966 },
  ];
  expect(decode(JSON.stringify(pack)).readings.map(({ timeMs, values }) => [timeMs, values])).toEqual([
    [1320067464000, { a: 20, b: 60.07965 }],
    [1320067524000, { a: 20.3, b: 60.07966 }],
  ]);
});

test("of two records of one name, unit and time the first counts, and the second is counted", async () => {
  const decode = await decoderLab("{ decode: senml, fields: { a: a@V } }", { fields: "a, b" });
  const pack = [
    { bn: "x:", bt: 1320067464, n: "a", u: "V", v: 1 },
    { n: "a", u: "A", v: 2 },
    { n: "a", u: "V", v: 3 },
    { n: "a", u: "V", t: 1, v: 4 },
    { n: "b", s: 5 },
    { n: "b", v: 6 },
    { n: "b", s: 7, v: 8 },
  ];
  const { readings, faults } = decode(JSON.stringify(pack));
  expect(readings.map(({ values }) => values)).toEqual([
    { a: 1, b: 6 },
    { a: 4, b: null },
  ]);
  expect(faults).toEqual(["repeated", "repeated"]);
});

test("text, truths and data are values too (5.1.5), and a time below 2^28 is counted from now (4.5.3)", async () => {
  const decode = await decoderLab(
    '{ decode: senml, fields: { c: open, d: nfc-reader }, text: { b: [Machine Room], d: hash } , entity: "{tag.base}" }',
    { fields: "temp, b, c, d" },
  );
  const pack = [
    { bn: "urn:dev:ow:10e2073a01080063:", n: "temp", u: "Cel", v: 23.1 },
    { n: "b", vs: "Machine Room" },
    { n: "open", vb: false },
    { n: "nfc-reader", vd: "aGkgCg" },
    { n: "temp", t: -30, v: 22 },
  ];
  const [now, before] = decode(JSON.stringify(pack)).readings;
  expect(now).toMatchObject({
    ...{ entity: "urn:dev:ow:10e2073a01080063", timeMs: ARRIVAL_MS },
    values: { temp: 23.1, b: 0, c: 0 },
  });
  expect(before).toMatchObject({ timeMs: ARRIVAL_MS - 30_000, values: { temp: 22 } });
  expect(decode(JSON.stringify(pack), "t", "retained").faults).toContain("retained");
});

test("base values and base sums are added to a record's own", () => {
  const pack = [
    { bn: "x:", bv: 20, bs: 100, n: "a", v: 1, s: 5 },
    { n: "a", v: -2 },
  ];
  expect(resolveSenml(pack)).toMatchObject([
    { value: 21, sum: 105 },
    { value: 18, sum: 100 },
  ]);
});

test.each([
  ["a newer version", [{ bver: 11, n: "a", v: 1 }], "unknown-version"],
  ["a label that must be understood", [{ n: "a", v: 1, must_: 1 }], "not-senml"],
  ["a name that starts with a colon", [{ n: ":a", v: 1 }], "not-senml"],
  ["a record without any name", [{ v: 1 }], "not-senml"],
  ["a record without any value", [{ n: "a" }], "not-senml"],
  ["text for a number", [{ n: "a", v: "1" }], "not-senml"],
  ["an object", { n: "a", v: 1 }, "not-senml"],
  ["too many records", Array.from({ length: 10_001 }, () => ({ n: "a", v: 1 })), "too-many"],
])("%s is refused", (_, pack, reason) => {
  expect(resolveSenml(pack)).toBe(reason);
});
