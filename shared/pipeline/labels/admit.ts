// From a reading of a source of labels to what its entity's rows are told.

import type { Counters } from "../../counters.js";
import type { Task } from "../../task/task.js";
import { admitReading } from "../admit.js";
import { layOut } from "../layout.js";
import type { Reading } from "../types.js";
import type { HeardLabel } from "./labeller.js";

/**
 * What the reading says; undefined (counted) when `admitReading` finds it bad, or its time is too far from the mapped
 * clock: as with other readings, by the source's `late`.
 */
export function admitLabel(
  reading: Reading,
  { watermarkMs, eventNowMs }: { readonly watermarkMs: number; readonly eventNowMs: number | undefined },
  { task, counters }: { readonly task: Task; readonly counters: Counters },
): HeardLabel | undefined {
  const row = admitReading(reading, layOut(task).labelSource?.fields ?? [], counters);
  if (row === undefined) return undefined;
  const { timeMs, values } = row;
  const { futureMs, ancientMs } = task.sources[reading.source]!.late;
  if (eventNowMs !== undefined && timeMs > eventNowMs + futureMs) return refuse("future", counters);
  if (eventNowMs !== undefined && timeMs < eventNowMs - ancientMs) return refuse("ancient", counters);
  return { timeMs, values, id: reading.id, watermarkMs, nowMs: eventNowMs ?? watermarkMs };
}

function refuse(reason: string, counters: Counters): undefined {
  counters.add(`labels.${reason}`);
  return undefined;
}
