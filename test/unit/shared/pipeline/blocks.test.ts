// Blocks through whole pipelines: a pump's vibration, a wrist's acceleration.

import { describe, expect, test } from "vitest";
import { layOut, layoutProblems } from "../../../../shared/pipeline/layout.js";
import type { Reading } from "../../../../shared/pipeline/types.js";
import { runAll, taskOf } from "../../../support/pipeline.js";

function readingOf(source: string, timeMs: number, values: Reading["values"]): Reading {
  return { source, entity: "p1", timeMs, values };
}

/** A tone and its length in samples. */
function tone(options: { hz: number; rateHz: number; from: number; length: number; size?: number }) {
  const { hz, rateHz, from, length, size = 1 } = options;
  return Float32Array.from({ length }, (_, n) => size * Math.sin((2 * Math.PI * hz * (from + n)) / rateHz));
}

describe("a pump", () => {
  const task = taskOf({
    sources: {
      vib: {
        decode: { samples: { type: "i16", channels: ["a"], length: 1024, rate: "3200Hz", scale: 0.000061 } },
        late: { disorder: "2s" },
      },
      temp: { late: { disorder: "10s" } },
    },
    steps: { shaken: { from: "vib", do: [{ stats: { of: "a", get: ["rms"] } }] } },
    join: { rows: { left: "shaken", asof: { temp: { take: ["c"], back: "2m" } } } },
    features: {
      from: "rows",
      list: [
        { stats: { of: "a", get: ["std", "kurtosis", "skew", "crest", "p2p", "zcr"] } },
        { bands: { of: "a", edges: [10, 100, 300, 600, 1000, 1600], log10: true, floor: 1e-12 } },
        { spectrum: { of: "a", get: ["centroid", "peak_hz", "entropy"] } },
        { copy: ["a.rms", "c"] },
        { rolling: { of: "a.rms", rows: 3, get: ["mean"] } },
      ],
    },
    label: { field: "c" },
  });

  test("has its columns by name, and its rate from the source", () => {
    expect(layoutProblems(task)).toEqual([]);
    expect(layOut(task).columns).toEqual([
      ...["a.std", "a.kurtosis", "a.skew", "a.crest", "a.p2p", "a.zcr"],
      ...["a.band_10_100", "a.band_100_300", "a.band_300_600", "a.band_600_1000", "a.band_1000_1600"],
      ...["a.centroid", "a.peak_hz", "a.entropy", "a.rms", "c", "a.rms.rolling_mean_3"],
    ]);
  });

  test("its blocks become examples", () => {
    const readings = [1, 2, 3, 4].flatMap((size, i) => [
      readingOf("temp", 320 * i, { c: 20 + i }),
      readingOf("vib", 320 * i, { a: tone({ hz: 50, rateHz: 3200, from: 0, length: 1024, size }) }),
    ]);
    const { examples, counters } = runAll(task, readings);
    expect(counters.toJSON()).toMatchObject({ "features.warming-up": 2 });
    expect(examples.map(({ label }) => label)).toEqual([22, 23]);
    const columns = layOut(task).columns;
    const last = Object.fromEntries(columns.map((column, i) => [column, examples[1]!.features[i]!]));
    // A tone of size 4 has the power 8; 50 Hz is bin 16 of 3.125 Hz.
    expect(last["a.rms"]).toBeCloseTo(Math.sqrt(8), 4);
    expect(last["a.band_10_100"]).toBeCloseTo(Math.log10(8), 4);
    expect(last["a.peak_hz"]).toBe(50);
    expect(last["a.crest"]).toBeCloseTo(Math.SQRT2, 4);
    expect(last["a.rms.rolling_mean_3"]).toBeCloseTo((2 + 3 + 4) / 3 / Math.SQRT2, 4);
  });
});

describe("a wrist", () => {
  const axes = ["ax", "ay", "az"];
  const gravity = ["gx", "gy", "gz"];
  const task = taskOf({
    sources: { imu: { vectors: { ax: 25, ay: 25, az: 25 }, late: { disorder: "500ms", idle: "10s" } } },
    steps: {
      s: {
        from: "imu",
        do: [
          { filter: { of: axes, lowpass: "0.3Hz", order: 3, rate: "50Hz", as: gravity } },
          { frame: { of: [...axes, ...gravity], size: 128, every: 64, minCover: "95%" } },
        ],
      },
    },
    features: {
      from: "s",
      list: [
        {
          stats: { of: axes, get: ["mean", "std", "mad", "rms", "skew", "kurtosis", "iqr", "zcr", "energy"] },
        },
        { sma: { of: axes } },
        {
          corr: {
            of: [
              ["ax", "ay"],
              ["ax", "az"],
              ["ay", "az"],
            ],
          },
        },
        { fft: { of: axes, bins: 16, log10: true } },
        { angle: { of: gravity, to: [0, 0, 1] } },
      ],
    },
    label: { field: "activity" },
  });

  test("frames of 2.56 s every 1.28 s become examples, labelled as their last block", () => {
    expect(layoutProblems(task)).toEqual([]);
    // 1 g on z; x shakes at 2 Hz, y against it.
    const readings = Array.from({ length: 16 }, (_, i) => {
      const ax = tone({ hz: 2, rateHz: 50, from: 25 * i, length: 25 });
      return readingOf("imu", 500 * i, {
        ax,
        ay: ax.map((x) => -x),
        az: new Float32Array(25).fill(9.81),
        activity: i < 8 ? 0 : 1,
      });
    });
    const { examples, counters } = runAll(task, readings);
    expect(examples.map(({ timeMs }) => timeMs)).toEqual([0, 1_280, 2_560, 3_840, 5_120]);
    expect(examples.map(({ label }) => label)).toEqual([0, 0, 1, 1, 1]);
    const { columns } = layOut(task);
    const last = Object.fromEntries(columns.map((column, i) => [column, examples[4]!.features[i]!]));
    expect(columns).toHaveLength(27 + 1 + 3 + 48 + 1);
    expect(last["az.mean"]).toBeCloseTo(9.81, 5);
    expect(last.corr_ax_ay).toBeCloseTo(-1, 6);
    expect(last.corr_ax_az).toBe(0);
    expect(last.angle_gx_gy_gz).toBeLessThan(0.01);
    expect(counters.toJSON()).toEqual({ "frame.incomplete": 1 });
  });
});
