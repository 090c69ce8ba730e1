// The readings that `bench/pipeline.js` measures with, made up but shaped like the real ones.

import { taskSchema } from "../../dist/shared/task/schema/task.js";

/** Parts of a task that no pipeline looks at. */
const rest = {
  model: { dense: [8], output: "regression" },
  train: { epochs: 1, batch: 32, optimizer: { sgd: 0.01 } },
  rounds: { cohort: "all", quorum: "80%", deadline: "10m", max: 3 },
};

const CHANNELS = ["pm25", "pm10", "so2", "no2", "co", "o3", "temp", "pres", "dewp", "rain", "wspm"];

/** Hourly air quality of several stations: checked, resampled, lags, a cycle; 12 features and more. */
export const airQuality = {
  task: taskSchema.parse({
    task: "air",
    entity: "{topic.1}",
    sources: { air: { late: { disorder: "2h" } } },
    steps: {
      hourly: {
        from: "air",
        do: [
          { range: { of: "pm25", min: 0, max: 999 } },
          { resample: { every: "1h", fill: { hold: "6h" } } },
        ],
      },
    },
    features: {
      from: "hourly",
      list: [
        { copy: CHANNELS },
        { lag: { of: "pm25", by: ["1h", "2h", "3h", "6h", "12h", "24h"] } },
        { cyclic: "hour" },
        { observed: "pm25" },
      ],
    },
    label: { forecast: { of: "pm25", ahead: "1h" } },
    ...rest,
  }),
  readings: (count) =>
    Array.from({ length: count }, (_, i) => ({
      source: "air",
      entity: `station${i % 12}`,
      timeMs: Date.UTC(2016, 0, 1) + Math.floor(i / 12) * 3_600_000,
      values: Object.fromEntries(CHANNELS.map((name, c) => [name, 50 + 40 * Math.sin(i * 0.01 + c)])),
    })),
};

/** Twenty features of one number per entity. */
export const manyEntities = {
  task: taskSchema.parse({
    task: "many",
    entity: "{topic.1}",
    sources: { s: {} },
    steps: { grid: { from: "s", do: [{ resample: { every: "10s", agg: "mean" } }] } },
    features: {
      from: "grid",
      list: [
        { copy: "x" },
        { lag: { of: "x", rows: "1..10" } },
        { rolling: { of: "x", over: "10m", get: ["mean", "std", "min", "max"] } },
        { rolling: { of: "x", rows: 30, get: ["mean", "std", "max"] } },
        { cyclic: "hour" },
      ],
    },
    label: { forecast: { of: "x", ahead: "1m" } },
    ...rest,
  }),
  /** The i-th of an endless stream: each entity once every ten seconds. */
  reading: (i, entities) => ({
    source: "s",
    entity: `e${i % entities}`,
    timeMs: Date.UTC(2026, 0, 1) + Math.floor(i / entities) * 10_000,
    values: { x: 20 + (i % 7) },
  }),
};

/** One JSON message a row; lags, means and a cycle. */
export const messages = {
  task: taskSchema.parse({
    task: "messages",
    entity: "{topic.1}",
    sources: { s: { mqtt: "lab/+/t", time: { field: "ts", unit: "ms" }, checks: { sent: {} } } },
    features: {
      from: "s",
      list: [
        { copy: ["x", "y"] },
        { lag: { of: "x", rows: "1..6" } },
        { rolling: { of: "y", rows: 30, get: ["mean", "std", "max"] } },
        { cyclic: "hour" },
      ],
    },
    label: { forecast: { of: "x", ahead: { rows: 1 } } },
    ...rest,
  }),
};

/** Blocks of 1,024 samples: the features of a machine's vibration. */
export const vibration = {
  task: taskSchema.parse({
    task: "vibration",
    sources: { vib: { vectors: { a: 1024 } } },
    features: {
      from: "vib",
      list: [
        { stats: { of: "a", get: ["rms", "std", "kurtosis", "skew", "crest", "p2p", "zcr"] } },
        { bands: { of: "a", rate: "3200Hz", edges: [10, 100, 300, 600, 1000, 1600] } },
        { spectrum: { of: "a", rate: "3200Hz", get: ["centroid", "peak_hz", "entropy"] } },
      ],
    },
    label: "none",
    ...rest,
    model: { autoencoder: [8, 3] },
  }),
  readings: (count) => {
    const blocks = Array.from({ length: 64 }, (_, block) =>
      Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i * 0.3 + block) + 0.4 * Math.sin(i * 1.1)),
    );
    return Array.from({ length: count }, (_, i) => ({
      source: "vib",
      entity: "pump",
      timeMs: Date.UTC(2026, 0, 1) + i * 320,
      values: { a: blocks[i % blocks.length] },
    }));
  },
};
