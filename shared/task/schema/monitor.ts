// `monitor`: how devices watch their model and their data, and when the fleet learns anew.

import { z } from "zod";
import type { MetricLimit, MonitorSpec, Task } from "../task.js";
import { durationWithin, shareWithin } from "../units.js";
import { metricName } from "./rounds.js";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

const part = shareWithin({ min: 0.0001, max: 1 });
const wait = durationWithin({ min: SECOND_MS, max: 90 * DAY_MS });

const limits = z
  .partialRecord(metricName, z.number().min(0).max(1e12))
  .transform((given) => Object.entries(given).map(([metric, worst]) => ({ metric, worst }) as MetricLimit));

const retrain = z.strictObject({
  when: z
    .array(z.enum(["drift", "limits"]))
    .min(1)
    .max(2)
    .prefault(["drift", "limits"])
    .describe("What devices must say: that something drifts, or that a limit is passed."),
  share: part.prefault("30%").describe("Of the devices that report, so many must say so."),
  cooldown: wait.prefault("6h").describe("Least time from one retraining to the next."),
  perDay: z.int().min(1).max(1_000).prefault(4).describe("Retrainings in any 24 hours."),
  rounds: z.int().min(1).max(100_000).prefault(10).describe("Train rounds of each."),
});

const quarantine = z.strictObject({
  after: wait.prefault("1h").describe("A device that has drifted alone for this long is left out of rounds."),
  share: part.prefault("10%").describe("Most of the fleet that is left out."),
});

/** How devices watch their model and their data. */
export const monitor = z
  .strictObject({
    window: z.int().min(20).max(100_000).prefault(1_000).describe("Labelled rows that metrics are about."),
    report: durationWithin({ min: SECOND_MS, max: DAY_MS })
      .prefault("5m")
      .describe("How often a device sends its report."),
    limits: limits.prefault({}).describe("The worst value of a metric that is still well: {rmse: 3}."),
    retrain: retrain.optional().describe("The fleet learns anew by itself."),
    quarantine: quarantine.optional().describe("A device that drifts alone is left out of rounds."),
  })
  .transform(
    ({ window, report, limits, retrain, quarantine }): MonitorSpec => ({
      window,
      concept: undefined,
      data: undefined,
      reportMs: report,
      limits,
      retrain: retrain && {
        ...{ when: retrain.when, share: retrain.share, perDay: retrain.perDay, rounds: retrain.rounds },
        cooldownMs: retrain.cooldown,
      },
      quarantine: quarantine && { afterMs: quarantine.after, share: quarantine.share },
    }),
  )
  .describe("How devices watch their model and their data, and when the fleet learns anew.");

/** The monitor, settled: a trial is judged by reports, so it needs one whatever was written. */
export function settleMonitor(
  written: MonitorSpec | undefined,
  { rollout }: Pick<Task, "rollout">,
): MonitorSpec | undefined {
  const isNeeded = rollout.canary !== undefined || rollout.shadow !== undefined;
  return written ?? (isNeeded ? monitor.parse({}) : undefined);
}
