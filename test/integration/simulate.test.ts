// Whole simulations, small: the pumps with two days of telemetry, and what the reports say.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseTask } from "../../shared/task/parse.js";
import type { Progress } from "../../simulator/progress.js";
import type { SimulationReport } from "../../simulator/report.js";
import { type SimulateOptions, simulate } from "../../simulator/simulate.js";

const examples = new URL("../../examples/", import.meta.url);

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

test("a fleet whose training diverges everywhere ends, with the reason why nothing was learned", async () => {
  const task = parseTask(smallYaml().replace("sgd: 0.03", "sgd: 50"));
  await expect(run({ task, rounds: 1 })).rejects.toMatchObject({
    code: "training-failed",
    message: expect.stringMatching(/0 of 1 rounds completed, \d+ abandoned; .*"declined\.diverged":\d+/),
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
