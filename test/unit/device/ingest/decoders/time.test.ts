import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLocalTimeReader } from "../../../../../device/ingest/decoders/local-time.js";
import { createTimeReader } from "../../../../../device/ingest/decoders/time.js";

describe("counts since the epoch", () => {
  test.each([
    ["s", 1767225600.25],
    ["ms", 1767225600250],
    ["us", 1767225600250000],
    ["ns", 1767225600250000000],
    ["ns", "1767225600250000000"],
  ] as const)("in %s: %s", (unit, value) => {
    expect(createTimeReader({ kind: "field", field: "t", unit }, false)(value, undefined)).toBe(
      1767225600250,
    );
  });

  test.each([
    ["s", "5"],
    ["ms", "5"],
    ["us", "5x"],
    ["ns", ""],
    ["s", Number.NaN],
    ["s", 1e300],
  ] as const)("in %s, %s is none", (unit, value) => {
    expect(createTimeReader({ kind: "field", field: "t", unit }, false)(value, undefined)).toBeUndefined();
  });
});

describe("local time", () => {
  const berlin = createLocalTimeReader("Europe/Berlin");
  const utc = (text: string) => Date.parse(text);

  test.each([
    ["2017-02-16T10:13:52", "2017-02-16T09:13:52Z"],
    ["2017-07-16T10:13:52", "2017-07-16T08:13:52Z"],
    ["2017-07-16 10:13", "2017-07-16T08:13:00Z"],
    ["2017-07-16T10:13:52.250", "2017-07-16T08:13:52.250Z"],
    ["2017-03-26T01:59:59", "2017-03-26T00:59:59Z"],
    ["2017-03-26T03:00:00", "2017-03-26T01:00:00Z"],
    ["2017-10-29T01:59:59", "2017-10-28T23:59:59Z"],
    ["2017-10-29T03:00:00", "2017-10-29T02:00:00Z"],
  ])("%s in Berlin is %s", (local, instant) => {
    expect(berlin(local, undefined)).toBe(utc(instant));
  });

  test("an hour that the clocks repeat is the one nearer to the arrival, the first where that is not known", () => {
    expect(berlin("2017-10-29T02:30:00", utc("2017-10-29T00:30:02Z"))).toBe(utc("2017-10-29T00:30:00Z"));
    expect(berlin("2017-10-29T02:30:00", utc("2017-10-29T01:30:02Z"))).toBe(utc("2017-10-29T01:30:00Z"));
    expect(berlin("2017-10-29T02:30:00", undefined)).toBe(utc("2017-10-29T00:30:00Z"));
  });

  test("an hour that the clocks skip counts on from before", () => {
    expect(berlin("2017-03-26T02:30:00", undefined)).toBe(utc("2017-03-26T01:30:00Z"));
  });

  test.each([
    "2017-02-30T10:00:00",
    "2017-13-01T10:00:00",
    "2017-01-01T24:00:00",
    "2017-01-01T10:60:00",
    "10:00",
    "",
    5,
    null,
  ])("%s is none", (text) => {
    expect(berlin(text, undefined)).toBeUndefined();
  });

  test.each([
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
    "America/Sao_Paulo",
    "Africa/Casablanca",
  ])("in %s the wall's clock is read back to the instant it showed", (zone) => {
    const read = createLocalTimeReader(zone);
    const format = new Intl.DateTimeFormat("sv-SE", {
      ...{ timeZone: zone, dateStyle: "short", timeStyle: "medium" },
    });
    fc.assert(
      fc.property(fc.integer({ min: utc("1995-01-01"), max: utc("2030-01-01") }), (ms) => {
        const instant = Math.floor(ms / 1000) * 1000;
        // Told when it came, it knows even which of two equal hours it was.
        expect(read(format.format(instant), instant)).toBe(instant);
      }),
      { numRuns: 500 },
    );
  });
});

test("text that brings its zone is not moved to another", () => {
  const read = createTimeReader({ kind: "field", field: "t", unit: "local", zone: "Europe/Berlin" }, false);
  expect(read("2017-02-16T10:00:00Z", undefined)).toBe(Date.UTC(2017, 1, 16, 10));
});
