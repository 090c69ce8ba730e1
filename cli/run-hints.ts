// What somebody who sees too few rows of a run would look for.

import type { DataFile, OfflineResult } from "../device/offline/run.js";
import { planPipeline } from "../shared/pipeline/plan.js";
import type { Task } from "../shared/task/task.js";
import { formatDuration } from "../shared/task/units.js";

/** More than this share of late readings is no accident: the lines are not in the order of event time. */
const LATE_SHARE = 0.01;

/** Sources that no file is for. */
export function strangers(task: Task, files: readonly DataFile[]): readonly string[] {
  if (files.some(({ source }) => source === undefined)) return [];
  return Object.keys(task.sources)
    .filter((name) => files.every(({ source }) => source !== name))
    .map((name) => `nothing comes from source "${name}": no --data names it`);
}

/** A sentence for each thing that is odd about a run. */
export function hintsFor(task: Task, { lines, readings, rows, counters }: OfflineResult): readonly string[] {
  if (lines === 0) return ["there was no line"];
  if (readings === 0) return ["no line gave a reading: the counters say why"];
  const hints: string[] = [];
  const late = counters.get("readings.late");
  if (late > LATE_SHARE * readings)
    hints.push(
      `${late} of ${readings} readings came late: sort the lines by time, or raise late.disorder of their source`,
    );
  if (rows === 0) {
    const { ms, rows: needed } = planPipeline(task).warmUp;
    hints.push(
      `no row of features: the pipeline is warm after ${formatDuration(ms)} and ${needed} rows of one entity`,
    );
  }
  return hints;
}
