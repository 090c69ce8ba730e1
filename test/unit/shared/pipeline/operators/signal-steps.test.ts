// Steps that make blocks of blocks.

import { describe, expect, test } from "vitest";
import { type Input, OperatorError } from "../../../../../shared/pipeline/operators/port.js";
import { stepOperators } from "../../../../../shared/pipeline/operators/registry.js";
import type { PipelineRow, Value } from "../../../../../shared/pipeline/types.js";
import { row, stepOf } from "../../../../support/pipeline.js";
import { fixture } from "../../../../support/signal.js";

function vectors(length: number, ...names: readonly string[]): Input {
  return { fields: names.map((name) => ({ name, length })), spacingMs: undefined };
}

/** What an author is told. */
function complaint(name: string, written: unknown, input: Input): string {
  const operator = stepOperators[name]!;
  try {
    operator.output(operator.params.parse(written), input);
  } catch (error) {
    if (error instanceof OperatorError) return `${error.path.join(".")}: ${error.message}`;
    throw error;
  }
  return "nothing";
}

function samplesOf(value: Value | undefined): number[] {
  return value instanceof Float32Array ? [...value] : [];
}

const ramp = (from: number, length: number) => Float32Array.from({ length }, (_, n) => from + n);

describe("detrend", () => {
  test("takes the mean or the line out, in the field's place", () => {
    const level = stepOf("detrend", { of: "a" }, vectors(3, "a"));
    const given = Float32Array.of(1, 2, 6);
    level.instance.push(row(0, given));
    expect(samplesOf(level.rows[0]?.values[0])).toEqual([-2, -1, 3]);
    expect([...given]).toEqual([1, 2, 6]);
    const line = stepOf("detrend", { of: "a", kind: "linear" }, vectors(3, "a"));
    line.instance.push(row(0, Float32Array.of(1, 3, 5)));
    expect(samplesOf(line.rows[0]?.values[0])).toEqual([0, 0, 0]);
  });

  test("a missing block stays missing", () => {
    const { instance, rows } = stepOf("detrend", { of: ["a", "b"] }, vectors(2, "a", "b"));
    instance.push(row(0, null, Float32Array.of(1, 3)));
    expect(rows[0]?.values[0]).toBeNull();
    expect(samplesOf(rows[0]?.values[1])).toEqual([-1, 1]);
  });
});

test("taper lets a block's ends fade", () => {
  const { instance, rows } = stepOf("taper", { of: "a", window: "hann" }, vectors(4, "a"));
  instance.push(row(0, Float32Array.of(2, 2, 2, 2)));
  expect(samplesOf(rows[0]?.values[0])).toEqual([0, 1, 2, 1]);
});

describe("new names", () => {
  test("leave the old fields, and remember which were filled", () => {
    const { instance, output, rows } = stepOf("detrend", { of: "a", as: "flat" }, vectors(2, "a", "b"));
    expect(output.fields.map(({ name }) => name)).toEqual(["a", "b", "flat"]);
    instance.push({ ...row(0, Float32Array.of(1, 3), null), filled: [true, false] });
    expect(samplesOf(rows[0]?.values[0])).toEqual([1, 3]);
    expect(samplesOf(rows[0]?.values[2])).toEqual([-1, 1]);
    expect(rows[0]?.filled).toEqual([true, false, true]);
  });

  test("are not asked of the source", () => {
    const { reads, params } = stepOperators.detrend!;
    expect(reads(params.parse({ of: "a", as: "flat" }), ["flat", "temp"])).toEqual(["temp", "a"]);
  });

  test.each([
    [{ of: ["a", "b"], as: "c" }, "as: expected a name for each of the 2 vectors, not 1"],
    [{ of: ["a", "b"], as: ["c", "c"] }, 'as: field "c" is made twice'],
    [{ of: "a", as: "b" }, 'as: field "b" is made twice'],
  ])("%j is refused", (written, message) => {
    expect(complaint("detrend", written, vectors(2, "a", "b"))).toBe(message);
  });
});

describe("filter", () => {
  const input = vectors(50, "a");
  const written = { of: "a", lowpass: "10Hz", order: 5, rate: "100Hz" };
  // scipy.signal.sosfilt of the fixture's samples 3 to 252, from rest at the first.
  const blocks = Array.from({ length: 5 }, (_, i) =>
    Float32Array.from(fixture.subarray(3 + 50 * i, 53 + 50 * i)),
  );

  function filtered(rows: readonly PipelineRow[]): number[] {
    return rows.flatMap(({ values }) => samplesOf(values[0]));
  }

  test("goes on from block to block", () => {
    const { instance, output, rows, counters } = stepOf("filter", written, input);
    expect(output.fields).toEqual([{ name: "a", length: 50, rateHz: 100 }]);
    blocks.forEach((block, i) => {
      instance.push(row(500 * i, block));
    });
    const all = filtered(rows);
    const expected = [
      [0, 0.5451243682287112],
      [1, 0.5450864088179103],
      [10, 0.6971847061036752],
      [100, -0.6090798790603889],
    ] as const;
    for (const [n, value] of expected) expect(all[n]).toBeCloseTo(value, 6);
    expect(counters.get("filter.gap")).toBe(0);
  });

  test("allows for a clock that is a little off, and starts anew behind a gap", () => {
    const { instance, rows, counters } = stepOf("filter", written, input);
    instance.push(row(0, blocks[0]!));
    instance.push(row(524, blocks[1]!));
    expect(counters.get("filter.gap")).toBe(0);
    instance.push(row(1050, blocks[0]!));
    expect(counters.get("filter.gap")).toBe(1);
    expect(samplesOf(rows[2]?.values[0])).toEqual(samplesOf(rows[0]?.values[0]));
    expect(samplesOf(rows[1]?.values[0])).not.toEqual(samplesOf(rows[0]?.values[0]));
  });

  test.each([
    [{ of: "a", rate: "100Hz" }, 'expected exactly one of "lowpass", "highpass" or "band"'],
    [{ of: "a", lowpass: "1Hz", highpass: "1Hz" }, 'expected exactly one of "lowpass", "highpass" or "band"'],
    [{ of: "a", band: ["2Hz", "1Hz"] }, "expected rising frequencies"],
    [{ of: "a", lowpass: "1Hz", order: 9 }, "Too big: expected number to be <=8"],
  ])("%j is no filter", (wrong, message) => {
    expect(stepOperators.filter!.params.safeParse(wrong).error?.issues[0]?.message).toBe(message);
  });

  test.each([
    [
      { lowpass: "50Hz" },
      "lowpass: expected a frequency from 0.001Hz to below 50Hz, half the rate, not 50Hz",
    ],
    [
      { band: ["1Hz", "60Hz"] },
      "band.1: expected a frequency from 0.001Hz to below 50Hz, half the rate, not 60Hz",
    ],
  ])("%j does not fit a rate of 100Hz", (wrong, message) => {
    expect(complaint("filter", { of: "a", rate: "100Hz", ...wrong }, input)).toBe(message);
  });
});

describe("decimate", () => {
  const written = { of: "a", by: 4, rate: "100Hz" };

  function decimated(hz: number): number[] {
    const { instance, rows } = stepOf("decimate", written, vectors(400, "a"));
    for (let i = 0; i < 5; i++) {
      const block = Float32Array.from({ length: 400 }, (_, n) =>
        Math.sin((2 * Math.PI * hz * (400 * i + n)) / 100),
      );
      instance.push(row(4_000 * i, block));
    }
    // The first block holds the filter's own beginning.
    return rows.slice(1).flatMap(({ values }) => samplesOf(values[0]));
  }

  test("keeps every fourth sample, and the rate with them", () => {
    const { output } = stepOf("decimate", written, vectors(400, "a"));
    expect(output.fields).toEqual([{ name: "a", length: 100, rateHz: 25 }]);
  });

  test("what the lower rate can hold passes, what it cannot does not come back as something else", () => {
    expect(Math.max(...decimated(2))).toBeCloseTo(1, 2);
    // Half the new rate is 12.5 Hz; 37 dB are a factor of 70.
    expect(Math.max(...decimated(13).map(Math.abs))).toBeLessThan(1 / 70);
    expect(Math.max(...decimated(24).map(Math.abs))).toBeLessThan(1e-4);
  });

  test("refuses what does not divide a block", () => {
    expect(complaint("decimate", { of: "a", by: 3, rate: "100Hz" }, vectors(400, "a"))).toBe(
      'by: expected a divisor of the 400 samples of "a" that leaves at least 2, not 3',
    );
  });
});

test("envelope finds how often a resonance is struck", () => {
  // 64 strikes a second, each ringing at 1000 Hz: the spectrum shows the ringing, the envelope's the strikes.
  const rateHz = 8192;
  const strike = rateHz / 64;
  const block = Float32Array.from({ length: 4096 }, (_, n) => {
    const t = (n % strike) / rateHz;
    return Math.exp(-200 * t) * Math.sin(2 * Math.PI * 1000 * t);
  });
  const written = { of: "a", band: ["800Hz", "1200Hz"], rate: "8192Hz", as: "env" };
  const { instance, output, rows } = stepOf("envelope", written, vectors(4096, "a"));
  instance.push(row(0, block));
  const peak = stepOf(
    "spectrum",
    { of: ["a", "env"], get: ["peak_hz"] },
    {
      ...output,
      fields: output.fields.map((field) => ({ ...field, rateHz })),
    },
  );
  peak.instance.push(rows[0]!);
  const [, , ofBlock, ofEnvelope] = peak.rows[0]!.values;
  expect(Math.abs(Number(ofBlock) - 1000)).toBeLessThan(64);
  expect(ofEnvelope).toBeCloseTo(64, 6);
});

describe("frame", () => {
  const written = { of: "a", size: 8, every: 4, rate: "100Hz" };
  const input: Input = { ...vectors(5, "a"), fields: [...vectors(5, "a").fields, { name: "y", length: 1 }] };
  const framesOf = (rows: readonly PipelineRow[]) =>
    rows.map(({ timeMs, values }) => [timeMs, ...samplesOf(values[0])]);

  test("cuts successive blocks into frames named by their first sample", () => {
    const { instance, output, rows, counters } = stepOf("frame", written, input);
    expect(output.fields).toEqual([
      { name: "a", length: 8, rateHz: 100 },
      { name: "y", length: 1 },
    ]);
    for (let i = 0; i < 4; i++) instance.push(row(1_000 + 50 * i, ramp(5 * i, 5), i));
    expect(framesOf(rows)).toEqual([
      [1_000, ...ramp(0, 8)],
      [1_040, ...ramp(4, 8)],
      [1_080, ...ramp(8, 8)],
      [1_120, ...ramp(12, 8)],
    ]);
    // Other fields are as in the frame's last block.
    expect(rows.map(({ values }) => values[1])).toEqual([1, 2, 3, 3]);
    expect(counters.toJSON()).toEqual({});
  });

  test("begins anew behind a gap, and says so", () => {
    const { instance, rows, counters } = stepOf("frame", written, input);
    instance.push(row(0, ramp(0, 5), null));
    instance.push(row(100, ramp(10, 5), null));
    instance.push(row(150, ramp(15, 5), null));
    expect(framesOf(rows)).toEqual([[100, ...ramp(10, 8)]]);
    expect(counters.toJSON()).toEqual({ "frame.gap": 1 });
  });

  test("begins anew where blocks overlap", () => {
    const { instance, rows, counters } = stepOf("frame", written, input);
    instance.push(row(0, ramp(0, 5), null));
    instance.push(row(30, ramp(3, 5), null));
    instance.push(row(80, ramp(8, 5), null));
    expect(framesOf(rows)).toEqual([[30, ...ramp(3, 8)]]);
    expect(counters.get("frame.gap")).toBe(1);
  });

  test("a gap that minCover allows is bridged by a line; its frame counts as filled", () => {
    const { instance, rows, counters } = stepOf("frame", { ...written, minCover: "75%" }, input);
    instance.push(row(0, ramp(0, 5), null));
    instance.push(row(70, ramp(7, 5), null));
    instance.push(row(120, ramp(12, 5), null));
    instance.push(row(170, ramp(17, 5), null));
    expect(framesOf(rows)).toEqual([0, 40, 80, 120].map((timeMs) => [timeMs, ...ramp(timeMs / 10, 8)]));
    expect(rows.map(({ filled }) => filled)).toEqual([[true, false], [true, false], undefined, undefined]);
    expect(counters.toJSON()).toEqual({ "frame.bridged": 2 });
  });

  test("a frame with two bridges too many is dropped", () => {
    const { instance, rows, counters } = stepOf("frame", { ...written, minCover: "75%" }, input);
    instance.push(row(0, ramp(0, 5), null));
    instance.push(row(70, ramp(7, 5), null));
    instance.push(row(140, ramp(14, 5), null));
    // 4 to 11: measured 4, 7 to 11. 8 to 15: 8 to 11, 14, 15.
    expect(framesOf(rows)).toEqual([0, 40, 80].map((timeMs) => [timeMs, ...ramp(timeMs / 10, 8)]));
    const tight = stepOf("frame", { ...written, minCover: "75%" }, vectors(2, "a"));
    for (const at of [0, 4, 8, 12]) tight.instance.push(row(10 * at, ramp(at, 2)));
    // Each gap is short enough, but a frame holds two of them.
    expect(tight.rows).toEqual([]);
    expect(tight.counters.toJSON()).toEqual({ "frame.bridged": 6, "frame.uncovered": 2 });
    expect(counters.get("frame.uncovered")).toBe(0);
  });

  test("a block without one of the vectors is a gap", () => {
    const { instance, rows, counters } = stepOf(
      "frame",
      { ...written, of: ["a", "b"] },
      vectors(5, "a", "b"),
    );
    instance.push(row(0, ramp(0, 5), ramp(0, 5)));
    instance.push(row(50, ramp(5, 5), null));
    instance.push(row(100, ramp(10, 5), ramp(10, 5)));
    expect(rows).toEqual([]);
    expect(counters.toJSON()).toEqual({ "frame.gap": 1, "frame.missing": 1 });
  });

  test("holds nobody back for samples that can no longer come", () => {
    const { instance, counters } = stepOf("frame", written, input);
    expect(instance.advance(500)).toBe(500);
    instance.push(row(500, ramp(0, 5), null));
    expect(instance.advance(540)).toBe(500);
    // The next block is due at 550; a sample's time later (10 ms) is still in order.
    expect(instance.dueMs()).toBe(561);
    expect(instance.advance(560)).toBe(500);
    expect(instance.advance(561)).toBe(561);
    expect(instance.dueMs()).toBe(Number.POSITIVE_INFINITY);
    expect(counters.toJSON()).toEqual({ "frame.gap": 1 });
  });

  test("an unfinished frame at the end is none", () => {
    const { instance, rows, counters } = stepOf("frame", written, input);
    instance.push(row(0, ramp(0, 5), null));
    instance.flush();
    expect(rows).toEqual([]);
    expect(counters.toJSON()).toEqual({ "frame.incomplete": 1 });
  });

  test("refuses vectors that do not go together, and frames finer than time", () => {
    const unequal = { fields: [...vectors(5, "a").fields, ...vectors(6, "b").fields], spacingMs: undefined };
    expect(complaint("frame", { ...written, of: ["a", "b"] }, unequal)).toBe(
      'of.1: expected vectors of one length: "b" has 6 samples, "a" 5',
    );
    expect(complaint("frame", { of: "a", size: 8, every: 1, rate: "3.2kHz" }, vectors(5, "a"))).toBe(
      "every: frames would begin less than 1 ms apart, the finest time a row has",
    );
  });
});
