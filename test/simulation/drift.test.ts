// The loop from drift to recovery, whole and in virtual time: nobody does anything but watch.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { parseTask } from "../../shared/task/parse.js";
import type { DriftReport } from "../../simulator/loop/drift-report.js";
import { type SimulateOptions, simulate } from "../../simulator/simulate.js";

const HOUR_MS = 3_600_000;
const DRIFT = "drift: { at: 8d, kind: concept }";
const example = readFileSync(new URL("../../examples/pumps/drift.yaml", import.meta.url), "utf8");

async function run(drift = DRIFT, options: Partial<SimulateOptions> = {}) {
  expect(example).toContain(DRIFT);
  const yaml = example.replace(`, ${DRIFT}`, drift === "" ? "" : `, ${drift}`);
  const { seconds: _, ...report } = await simulate({
    ...{ task: parseTask(yaml), folder: undefined, devices: undefined, rounds: undefined, seed: "1" },
    ...{ engine: "auto", workers: 2, local: false, ...options },
  });
  return report;
}

async function runLoop(drift: string, options?: Partial<SimulateOptions>): Promise<DriftReport> {
  const report = await run(drift, options);
  expect(report.drift).toBeDefined();
  return report.drift!;
}

describe("a fleet that drifts", { timeout: 120_000 }, () => {
  let report: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    report = await run();
  }, 120_000);

  test("sees it, learns anew, tries what it has learnt on a few, and is as good as before", () => {
    const drift = report.drift!;
    expect(drift).toMatchObject({ detected: true, recovered: true, kind: "concept", devices: 8 });
    expect(drift.detectionDelay).toBeGreaterThan(0);
    expect(drift.detectionDelay).toBeLessThan(12 * HOUR_MS);
    expect(drift.alarms.filter(({ atMs }) => atMs < drift.atMs!)).toEqual([]);
    expect(drift.before).toBeGreaterThan(0.9);
    expect(drift.during).toBeLessThan(0.75);
    expect(drift.after).toBeGreaterThan(0.98 * drift.before!);
    const cure = drift.trials.find(({ version }) => version === drift.promoted);
    expect(cure).toMatchObject({ outcome: "promoted", endedMs: drift.promotedMs });
    expect(cure?.servedBy.length).toBeGreaterThan(0);
    expect(cure?.servedBy.length).toBeLessThanOrEqual(3);
  });

  test("comes out the same in every run of a seed, whatever the number of threads", async () => {
    const again = await run(DRIFT, { workers: 1 });
    expect(JSON.stringify(again)).toBe(JSON.stringify(report));
  });

  test("poisoned while it learns anew: canaries take every such version back, and nobody else has served it", async () => {
    const drift = await runLoop(DRIFT, { poison: true });
    const tried = drift.trials.filter(({ startedMs }) => startedMs >= drift.atMs!);
    expect(tried.length).toBeGreaterThan(0);
    for (const { outcome, servedBy } of tried) {
      expect(outcome).toBe("rolled-back");
      // As many as the last step of the canary has.
      expect(servedBy.length).toBeLessThanOrEqual(3);
    }
    expect(drift).toMatchObject({ detected: true, promoted: null, recovered: false });
  });
});

describe("a fleet that does not", { timeout: 120_000 }, () => {
  test("cries wolf at nothing, and does nothing", async () => {
    const drift = await runLoop("");
    expect(drift).toMatchObject({ atMs: null, detected: false, falseAlarms: 0, alarms: [], retrainings: [] });
    expect(drift.quarantined).toEqual([]);
    expect(drift.calmRows).toBeGreaterThan(70_000);
  });

  test("leaves out a device whose gauge was mounted anew, and learns nothing from it", async () => {
    const drift = await runLoop("drift: { at: 8d, kind: data, pumps: 1 }");
    expect(drift).toMatchObject({ detected: true, falseAlarms: 0, retrainings: [], promoted: null });
    expect(drift.quarantined.map(({ device }) => device)).toEqual(["pump-1"]);
  });
});

test("retraining that never comes cannot be poisoned", async () => {
  const task = readFileSync(new URL("../../examples/pumps/task.yaml", import.meta.url), "utf8");
  await expect(run(DRIFT, { task: parseTask(task), poison: true })).rejects.toThrow(
    "no retraining to poison",
  );
});
