// Whole simulations, small: the pumps with two days of telemetry, and what the reports say.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { randomStream } from "../../shared/random.js";
import { parseTask } from "../../shared/task/parse.js";
import type { Progress } from "../../simulator/progress.js";
import type { SimulationReport } from "../../simulator/report.js";
import { type SimulateOptions, simulate } from "../../simulator/simulate.js";
import { tempFolder } from "../support/temp-folder.js";

const examples = new URL("../../examples/", import.meta.url);

const files = tempFolder();

function loadExample(path: string): string {
  return readFileSync(new URL(path, examples), "utf8");
}

/** The example, with one day of history, one that streams in, and then half a day of test rows. */
function smallYaml(): string {
  return loadExample("pumps/task.yaml")
    .replace("from: 2026-01-09", "from: 2026-01-03")
    .replace("days: 12, history: 4, hoursPerSecond: 6", "days: 3, history: 1, hoursPerSecond: 12");
}

function run(options: Partial<SimulateOptions> = {}): Promise<SimulationReport> {
  return simulate({
    task: parseTask(smallYaml()),
    folder: undefined,
    devices: 3,
    rounds: 3,
    seed: "1",
    engine: "tfjs-wasm",
    workers: 1,
    local: true,
    ...options,
  });
}

function withoutSeconds({ seconds: _, ...report }: SimulationReport) {
  return report;
}

describe("a simulation of pumps", () => {
  const progress: Progress[] = [];
  let report: SimulationReport;

  beforeAll(async () => {
    report = await run({ onProgress: (step) => progress.push(step) });
  });

  test("scores every round on the test set and compares", () => {
    expect(report).toMatchObject({
      task: "pumps",
      seed: "1",
      engine: "tfjs-wasm",
      metric: "rmse",
      devices: 3,
    });
    expect(report.rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
    for (const round of report.rounds) {
      expect(round).toMatchObject({ accepted: 3, rejected: 0 });
      expect(round.value).toBeGreaterThan(0);
      expect(round.bytesUp).toBeGreaterThan(3 * 4 * 1000);
    }
    expect(report.federated).toBe(report.rounds.at(-1)?.value);
    expect(report).toMatchObject({ localDevices: 3, diverged: [], naiveRule: "persistence" });
    expect(report.localOnly).toBeGreaterThan(0);
    expect(report.naive).toBeGreaterThan(0);
    expect(report.modelHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("streams telemetry in while rounds go on: nothing is late, and served versions predict new rows", () => {
    expect(report.counters.devices).not.toHaveProperty("readings.late");
    expect(report.counters.devices).not.toHaveProperty("readings.no-task");
    // Two days of a row every ten minutes stream in, but the first rounds pass before a version is served.
    expect(report.predictions).toBeGreaterThan(3 * 144);
    expect(report.predictions).toBeLessThanOrEqual(3 * 288);
  });

  test("tells its progress round by round", () => {
    expect(progress.map(({ stage }) => stage)).toEqual(["loaded", "round", "round", "round", "comparing"]);
  });

  test.each([2, 4])("gives the same report with %d workers, but for the seconds", async (workers) => {
    expect(withoutSeconds(await run({ workers }))).toEqual(withoutSeconds(report));
  });

  test("gives another report for another seed", async () => {
    const other = await run({ seed: "2", local: false });
    expect(other.modelHash).not.toBe(report.modelHash);
    expect(other.federated).not.toBe(report.federated);
    expect(other.localOnly).toBeNull();
  });
});

test("an autoencoder learns the rows of the fleet without a label, and predicts how far a row is from them", async () => {
  const task = parseTask(loadExample("pumps/normal.yaml"));
  const report = await run({ task, devices: 8, rounds: undefined, engine: "auto" });
  expect(report).toMatchObject({ engine: "fused-wasm", metric: "rmse", naiveRule: "mean" });
  // The mean of every standardised column errs by about one standard deviation.
  expect(report.naive).toBeGreaterThan(0.5);
  expect(report.federated).toBeLessThan(0.8 * report.naive!);
  expect(report.predictions).toBeGreaterThan(0);
});

describe("a binary output", () => {
  // A door that is open when it is warm inside and cold outside; one reading in twenty is wrong about it.
  const csv = (name: string, rows: number) => {
    const random = randomStream(name, "rows");
    const lines = Array.from({ length: rows }, () => {
      const [inside, outside] = [20 + 4 * random.normal(), 10 + 6 * random.normal()];
      const isOpen = 2 * (inside - 20) - (outside - 10) > 2;
      const isTold = random.uniform() < 0.95 ? isOpen : !isOpen;
      return `${inside.toFixed(3)},${outside.toFixed(3)},${Number(isTold)}`;
    });
    return `inside,outside,open\n${lines.join("\n")}\n`;
  };
  const yaml = `task: door
sources: { door: {} }
features: { from: door, list: [{ copy: [inside, outside] }], scale: standard }
label: { field: open }
rows: { split: { test: given, validation: { share: 20%, by: example } } }
model: { dense: [4], activation: tanh, output: binary }
train: { epochs: 5, batch: 16, optimizer: { adam: 0.02 } }
rounds: { max: 5, stop: { metric: f1, patience: 5 } }
rollout: { gate: { f1: {} } }
simulate:
  dataset: { csv: train.csv, time: { step: 1s }, device: { dirichlet: 1 } }
  devices: 3
  test: { files: test.csv }
`;

  test("learns, is gated by F1, and is compared with the commoner label", async () => {
    files.write("train.csv", csv("train", 1200));
    files.write("test.csv", csv("test", 2000));
    const door = { task: parseTask(yaml), folder: files.path, rounds: undefined };
    const fused = await run({ ...door, engine: "fused-wasm" });
    expect(fused).toMatchObject({ metric: "accuracy", naiveRule: "majority", diverged: [], testRows: 2000 });
    // Nobody can do better than 95 %; the door is open in 43 % of all rows.
    expect(fused.naive).toBeLessThan(0.7);
    expect(fused.federated).toBeGreaterThan(0.91);
    const { precision = 0, recall = 0, f1 = 0 } = fused.metrics;
    expect(f1).toBeGreaterThan(0.88);
    expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
    expect(fused.localOnly).toBeGreaterThan(0.5);
    const tfjs = await run({ ...door, engine: "tfjs-wasm", local: false });
    // A row near the line may fall on its other side.
    expect(Math.abs(tfjs.federated! - fused.federated!)).toBeLessThan(0.003);
  });

  test("learns as well when a sensor that reads nonsense now and then is scaled by the fleet's median", async () => {
    let line = 0;
    const broken = csv("train", 1200).replaceAll(/^[^i,]+,/gm, (inside) =>
      ++line % 50 === 0 ? "9999," : inside,
    );
    files.write("train.csv", broken);
    files.write("test.csv", csv("test", 2000));
    const accuracyOf = async (scale: string) => {
      const task = parseTask(yaml.replace("scale: standard", `scale: ${scale}`));
      const door = { task, folder: files.path, rounds: undefined, local: false };
      return (await run({ ...door, engine: "fused-wasm" })).federated ?? 0;
    };
    const robust = await accuracyOf("robust");
    expect(robust).toBeGreaterThan(0.85);
    // One wrong reading in fifty makes the rest of its column look constant.
    expect(robust - (await accuracyOf("standard"))).toBeGreaterThan(0.05);
  });

  test("refuses what is neither 0 nor 1, and counts it", async () => {
    files.write("train.csv", csv("train", 300).replaceAll(/,1$/gm, ",2"));
    const door = { task: parseTask(yaml), folder: files.path, rounds: 1, local: false };
    // Only rows of label 0 are left to learn from.
    const { counters } = await run({ ...door, engine: "fused-wasm" });
    expect(counters.devices["labels.not-a-class"]).toBeGreaterThan(100);
  });
});

test("a fleet whose training diverges everywhere ends, with the reason why nothing was learned", async () => {
  const task = parseTask(smallYaml().replace("sgd: 0.03", "sgd: 50"));
  await expect(run({ task, rounds: 1 })).rejects.toMatchObject({
    code: "training-failed",
    message: expect.stringMatching(/0 of 1 rounds completed, \d+ abandoned; .*"declined\.diverged":\d+/),
  });
});

const hasOccupancy = existsSync(join(process.env.HEADWATER_DATA ?? "", "occupancy", "datatraining.txt.gz"));

describe.skipIf(!hasOccupancy)("occupancy (set HEADWATER_DATA to the folder that holds the datasets)", () => {
  test("a logistic regression of five devices is as good as one trained on all rows, 97.5 % and 98.1 %", async () => {
    const data = join(process.env.HEADWATER_DATA ?? "", "occupancy");
    for (const [file, rows, published] of [
      ["datatest.", 2665, 0.975],
      ["datatest2.", 9752, 0.981],
    ] as const) {
      const text = loadExample("occupancy/task.yaml").replace("datatest*.", file);
      const report = await run({
        ...{ task: parseTask(text), folder: data, devices: undefined, rounds: undefined },
        ...{ engine: "auto", local: false },
      });
      expect(report).toMatchObject({ engine: "fused-wasm", devices: 5, testRows: rows });
      expect(report.federated).toBeGreaterThan(published - 0.002);
      expect(report.metrics.f1).toBeGreaterThan(0.96);
    }
  });
});

const folder = process.env.HEADWATER_DATA ?? "";
const isAbsent = process.env.HEADWATER_DATA === undefined || !existsSync(join(folder, "beijing-air-quality"));

describe.skipIf(isAbsent)("real data (set HEADWATER_DATA to the folder that holds the datasets)", () => {
  test("two rounds on Beijing's air come near persistence, 19.44, by the published protocol", async () => {
    const task = parseTask(loadExample("air-quality/task.yaml"));
    const report = await run({ task, folder, devices: undefined, rounds: 2, local: false, workers: 2 });
    expect(report.devices).toBe(12);
    expect(report.naive).toBeCloseTo(19.44, 2);
    // 307,344 train and 101,836 test rows but for warm-up and borders.
    expect(report.testRows).toBe(101_824);
    expect(report.federated).toBeGreaterThan(19);
    expect(report.federated).toBeLessThan(21.5);
  }, 120_000);
});
