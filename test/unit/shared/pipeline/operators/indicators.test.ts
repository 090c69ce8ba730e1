// Features that say of what kind, how old and how frequent a value is: onehot, hash, age, missing, count, flag, cyclic by zone.

import { describe, expect, test } from "vitest";
import { featureOf, numbers, row } from "../../../../support/pipeline.js";

const mode = numbers("mode");

describe("onehot", () => {
  test("has a column per value and one for all others", () => {
    const { columns, push, counters } = featureOf("onehot", { of: "mode", values: [0, 1, 2.5] }, mode);
    expect(columns).toEqual(["mode.is_0", "mode.is_1", "mode.is_2.5", "mode.unknown"]);
    expect([1, 2.5, 7, null].map((value, i) => push(row(i, value)))).toEqual([
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      "missing",
    ]);
    expect(counters.toJSON()).toEqual({ "onehot.unknown": 1 });
  });

  test("categories are 0, 1, ...; without the unknown column an unknown value is 0 everywhere", () => {
    const { columns, push } = featureOf("onehot", { of: "mode", categories: 2, unknown: false }, mode);
    expect(columns).toEqual(["mode.is_0", "mode.is_1"]);
    expect([push(row(0, 1)), push(row(1, 2))]).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });

  test("values or categories, and no value twice", () => {
    expect(() => featureOf("onehot", { of: "mode" }, mode)).toThrow("exactly one of");
    expect(() => featureOf("onehot", { of: "mode", values: [1, 1] }, mode)).toThrow("each value once");
  });
});

describe("hash", () => {
  test("puts a 32-bit hash into the column of its remainder", () => {
    const { columns, push, counters } = featureOf("hash", { of: "mode", buckets: 3 }, mode);
    expect(columns).toEqual(["mode.hash_0", "mode.hash_1", "mode.hash_2"]);
    // 2^32 - 1 = 3 * 1431655765
    expect([2 ** 32 - 1, 5, 2 ** 32, -1, 0.5, null].map((value, i) => push(row(i, value)))).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      ...new Array(4).fill("missing"),
    ]);
    expect(counters.toJSON()).toEqual({ "hash.not-a-hash": 3 });
  });
});

describe("age", () => {
  test("counts seconds from the last measurement; a filled value is none", () => {
    const { columns, push } = featureOf("age", "mode", mode);
    expect(columns).toEqual(["mode.age_seconds"]);
    expect(push(row(0, null))).toBe("missing");
    expect(push(row(1_000, 5))).toEqual([0]);
    expect(push({ ...row(2_500, 5), filled: [true] })).toEqual([1.5]);
    expect(push(row(61_000, null))).toEqual([60]);
    expect(push(row(62_000, 1))).toEqual([0]);
  });
});

describe("missing", () => {
  test("is 1 where nothing was measured", () => {
    const { columns, push } = featureOf("missing", ["x", "y"], numbers("x", "y"));
    expect(columns).toEqual(["x.missing", "y.missing"]);
    expect(push(row(0, 1, null))).toEqual([0, 1]);
    expect(push({ ...row(1, 1, 2), filled: [true, false] })).toEqual([1, 0]);
  });
});

describe("count", () => {
  test("counts rows in (t - over, t], whatever they hold", () => {
    const { columns, push } = featureOf("count", { over: "10ms" }, mode);
    expect(columns).toEqual(["count_10ms"]);
    const out = [0, 3, 9, 10, 13, 40].map((timeMs) => push(row(timeMs, null)));
    expect(out).toEqual(["warming-up", "warming-up", "warming-up", [3], [3], [1]]);
  });
});

describe("cyclic by zone", () => {
  const at = (get: string, zone: string, timeMs: number) =>
    featureOf("cyclic", { of: "time", get: [get], zone }, mode).push(row(timeMs, 1));
  const angle = (share: number) => [
    Math.fround(Math.sin(2 * Math.PI * share)),
    Math.fround(Math.cos(2 * Math.PI * share)),
  ];

  test("follows the clock on the wall through daylight saving", () => {
    // Berlin: 01:59:59 CET is followed by 03:00 CEST on 29 March 2026, 02:59:59 CEST by 02:00 CET on 25 October.
    expect(at("hour", "Europe/Berlin", Date.UTC(2026, 2, 29, 0, 30))).toEqual(angle(1.5 / 24));
    expect(at("hour", "Europe/Berlin", Date.UTC(2026, 2, 29, 1, 30))).toEqual(angle(3.5 / 24));
    expect(at("hour", "Europe/Berlin", Date.UTC(2026, 9, 25, 0, 30))).toEqual(angle(2.5 / 24));
    expect(at("hour", "Europe/Berlin", Date.UTC(2026, 9, 25, 1, 30))).toEqual(angle(2.5 / 24));
    expect(at("hour", "Asia/Kolkata", Date.UTC(2026, 5, 1, 0, 30))).toEqual(angle(6 / 24));
  });

  test("days and years are the zone's own; months are of equal length", () => {
    expect(at("dow", "Pacific/Auckland", Date.UTC(2026, 10, 22, 11))).toEqual(angle(0));
    expect(at("doy", "America/New_York", Date.UTC(2026, 0, 1, 5))).toEqual(angle(0));
    expect(at("month", "UTC", Date.UTC(2026, 1, 15))).toEqual(angle(1.5 / 12));
    expect(at("hour", "America/New_York", 0)).toEqual(angle(19 / 24));
  });

  test("an unknown zone is refused", () => {
    expect(() => at("hour", "Europe/Berlim", 0)).toThrow("expected an IANA time zone");
  });
});

describe("flag", () => {
  test("weekend, night and holiday by the clock of the zone", () => {
    const written = { calendar: ["weekend", "night"], zone: "Europe/Berlin", holidays: ["2026-12-25"] };
    const { columns, push } = featureOf("flag", written, mode);
    expect(columns).toEqual(["weekend", "night", "holiday"]);
    const at = (...date: [number, number, number, number]) => push(row(Date.UTC(...date), 1));
    // A Friday: 22:30 UTC is 23:30 in Berlin, 23:30 UTC is Saturday there.
    expect(at(2026, 10, 27, 12)).toEqual([0, 0, 0]);
    expect(at(2026, 10, 27, 22)).toEqual([0, 1, 0]);
    expect(at(2026, 10, 27, 23)).toEqual([1, 1, 0]);
    expect(at(2026, 10, 28, 5)).toEqual([1, 0, 0]);
    expect(at(2026, 11, 24, 22)).toEqual([0, 1, 0]);
    expect(at(2026, 11, 24, 23)).toEqual([0, 1, 1]);
    expect(at(2026, 11, 25, 23)).toEqual([1, 1, 0]);
    expect(push(row(0, 1))).toEqual([0, 1, 0]);
  });

  test("dates must be dates, and something must be asked for", () => {
    expect(() => featureOf("flag", { holidays: ["2026-02-30"] }, mode)).toThrow("expected a date");
    expect(() => featureOf("flag", {}, mode)).toThrow("expected calendar, holidays or both");
  });
});
