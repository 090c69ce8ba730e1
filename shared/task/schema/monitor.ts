// `monitor`: how devices watch their model and their data, and when the fleet learns anew.

import { z } from "zod";
import { DEFAULT_DETECTOR, detectors } from "../../drift/concept/registry.js";
import { DATA_DRIFT_DEFAULTS } from "../../drift/data/port.js";
import { alternatives } from "../problem.js";
import type { DataDriftSpec, MetricLimit, MonitorSpec, Task } from "../task.js";
import { durationWithin, shareWithin } from "../units.js";
import { type Choice, oneKey } from "./choice.js";
import { detector } from "./detector.js";
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

const nothing = z.literal("none").transform(() => undefined);

const concept = z
  .union([nothing, detector], {
    error: `expected ${alternatives(Object.keys(detectors))}, one of them with its parameters, or "none"`,
  })
  .prefault(DEFAULT_DETECTOR)
  .describe("Watches the error of predictions; none: nothing does.");

const { windowRows, alpha, floor, consecutive } = DATA_DRIFT_DEFAULTS;

const windows = z.strictObject({
  rows: z
    .int()
    .min(50)
    .max(100_000)
    .prefault(windowRows)
    .describe("Rows of a window: every so many, columns are tested."),
  alpha: z
    .number()
    .gt(0)
    .max(0.5)
    .prefault(alpha)
    .describe("Share of false discoveries among the columns told to differ."),
  effect: z
    .number()
    .min(0)
    .max(100)
    .prefault(floor.numbers)
    .describe("Smaller shifts are none, in standard deviations of the reference."),
  windows: z.int().min(1).max(100).prefault(consecutive).describe("Windows in a row that must differ."),
});

const tests = {
  ks: windows.describe("Two-sample Kolmogorov-Smirnov test."),
  psi: windows.describe("Population stability index, against its own distribution under no change."),
};
const testNames = ["ks", "psi"] as const;

const data = z
  .union(
    [
      nothing,
      z.enum(testNames).transform((test) => dataSpec({ kind: test, value: windows.parse({}) })),
      oneKey(tests).transform((choice) => dataSpec(choice)),
    ],
    { error: 'expected "ks" or "psi", one of them with its parameters, or "none"' },
  )
  .prefault("ks")
  .describe("Watches columns and predictions; none: nothing does.");

function dataSpec({ kind, value }: Choice<typeof tests>): DataDriftSpec {
  return { test: kind, ...value };
}

/** How devices watch their model and their data. */
export const monitor = z
  .strictObject({
    window: z.int().min(20).max(100_000).prefault(1_000).describe("Labelled rows that metrics are about."),
    concept,
    data,
    season: durationWithin({ min: 60 * SECOND_MS, max: 366 * DAY_MS })
      .optional()
      .describe("Period of what comes and goes with the time of day, week or shift."),
    report: durationWithin({ min: SECOND_MS, max: DAY_MS })
      .prefault("5m")
      .describe("How often a device sends its report."),
    limits: limits.prefault({}).describe("The worst value of a metric that is still well: {rmse: 3}."),
    retrain: retrain.optional().describe("The fleet learns anew by itself."),
    quarantine: quarantine.optional().describe("A device that drifts alone is left out of rounds."),
  })
  .transform(
    ({ window, concept, data, season, report, limits, retrain, quarantine }): MonitorSpec => ({
      window,
      concept,
      data,
      seasonMs: season,
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
