// The loop over real brokers and in real time, hurried: two hours of telemetry pass in a second.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseTask } from "../../shared/task/parse.js";
import { startLiveFleet } from "../../simulator/live/live.js";

const HOUR_MS = 3_600_000;
const example = readFileSync(new URL("../../examples/pumps/drift.yaml", import.meta.url), "utf8");

function hurried(): string {
  const changes = [
    [/steps: \[1, 3\], soak: 5s, rows: 100/, "steps: [1], soak: 1s, rows: 60"],
    [/days: \d+, history: 4, hoursPerSecond: 1/, "days: 12, history: 4, hoursPerSecond: 2"],
    // Other work on the machine is no fault of a version.
    [/latency: 20/, "latency: 1000"],
    [/test: { from: 2026-01-16 }/, "test: { from: 2026-01-12 }"],
  ] as const;
  return changes.reduce((yaml, [from, to]) => {
    expect(yaml).toMatch(from);
    return yaml.replace(from, to);
  }, example);
}

test("a fleet on real brokers sees a drift, learns anew and puts what it has learnt into service", async () => {
  const fleet = await startLiveFleet({
    ...{ task: parseTask(hurried()), folder: undefined, devices: undefined, rounds: undefined, seed: "1" },
    ...{ engine: "auto", workers: 2, local: false },
  });
  try {
    const { drift } = fleet.report;
    expect(drift).toMatchObject({ detected: true, devices: 8 });
    expect(drift!.detectionDelay).toBeLessThan(48 * HOUR_MS);
    expect(drift!.promoted).not.toBeNull();
    // Real time differs from run to run: how far it has come when telemetry ends does, too.
    expect(drift!.after).toBeGreaterThan(drift!.during!);
  } finally {
    await fleet.stop();
  }
}, 240_000);
