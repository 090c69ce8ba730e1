import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  byteSize,
  bytesWithin,
  durationMs,
  durationWithin,
  formatBytes,
  formatDuration,
  formatFrequency,
  frequencyHz,
  share,
} from "../../../../shared/task/units.js";

describe("a duration", () => {
  test.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["60m", 3_600_000],
    ["1h", 3_600_000],
    ["1.5h", 5_400_000],
    ["1 d", 86_400_000],
    ["2w", 1_209_600_000],
  ])("of %s is %d ms", (text, ms) => {
    expect(durationMs.parse(text)).toBe(ms);
  });

  test.each([5, "5", "h", "-1h", "1y", "1h30m", "1e3s", "", null, ["1h"]])("is not %j", (value) => {
    const result = durationMs.safeParse(value);
    expect(result.error?.issues[0]?.message).toContain("a duration with its unit");
  });

  test("outside its bounds is refused, and the bounds are named", () => {
    const result = durationWithin({ min: 1_000, max: 3_600_000 }).safeParse("2h");
    expect(result.error?.issues[0]?.message).toBe("expected a duration from 1s to 1h");
  });

  test("reads back as itself after formatting", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 * 365 * 86_400_000 }), (ms) => {
        expect(durationMs.parse(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  test("is written in the largest unit that needs no fraction", () => {
    expect([0, 1, 90_000, 5_400_000, 90_000_000, 604_800_000].map(formatDuration)).toEqual([
      "0ms",
      "1ms",
      "90s",
      "90m",
      "25h",
      "1w",
    ]);
  });
});

describe("a size", () => {
  test.each([
    ["64KiB", 65_536],
    ["64kB", 64_000],
    ["1.5MiB", 1_572_864],
    ["1 GB", 1e9],
    ["10B", 10],
  ])("of %s is %d bytes", (text, bytes) => {
    expect(byteSize.parse(text)).toBe(bytes);
  });

  test.each([1024, "1024", "1K", "1kb", "MB"])("is not %j", (value) => {
    expect(byteSize.safeParse(value).error?.issues[0]?.message).toContain("a size with its unit");
  });

  test("outside its bounds is refused, and the bounds are named", () => {
    const result = bytesWithin({ min: 1_024, max: 2 ** 20 }).safeParse("1B");
    expect(result.error?.issues[0]?.message).toBe("expected a size from 1KiB to 1MiB");
  });

  test("is written to three digits", () => {
    expect([0, 512, 5_380, 796_840, 6_653_480].map(formatBytes)).toEqual([
      "0B",
      "512B",
      "5.25KiB",
      "778KiB",
      "6.35MiB",
    ]);
  });
});

describe("a share", () => {
  test.each([
    ["0%", 0],
    ["2.5%", 0.025],
    ["7%", 0.07],
    ["100 %", 1],
  ])("of %s is %d", (text, fraction) => {
    expect(share.parse(text)).toBe(fraction);
  });

  test.each([0.1, 10, "10", "ten%", "-1%"])("is not %j", (value) => {
    expect(share.safeParse(value).error?.issues[0]?.message).toContain("a percentage with its sign");
  });

  test("above the whole is refused", () => {
    expect(share.safeParse("101%").error?.issues[0]?.message).toBe("expected a percentage from 0% to 100%");
  });
});

describe("a frequency", () => {
  test.each([
    ["50Hz", 50],
    ["0.3 Hz", 0.3],
    ["3.2kHz", 3200],
    ["1MHz", 1_000_000],
  ])("of %s is %d Hz", (text, hz) => {
    expect(frequencyHz.parse(text)).toBe(hz);
  });

  test.each([50, "50", "50hz", "-1Hz", "0Hz", "11MHz", null])("is not %j", (value) => {
    expect(frequencyHz.safeParse(value).success).toBe(false);
  });

  test("is written in the unit that suits it", () => {
    expect([0.3, 50, 3200, 1e6].map(formatFrequency)).toEqual(["0.3Hz", "50Hz", "3.2kHz", "1MHz"]);
  });
});
