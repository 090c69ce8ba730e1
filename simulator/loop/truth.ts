// What is true of every row, which only a simulation knows: labels of all devices, by entity and event time.

import { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { createPipeline } from "../../shared/pipeline/pipeline.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Task } from "../../shared/task/task.js";

/** The label of a device's row; undefined where there is none. */
export type Truth = (
  device: DeviceId,
  row: { readonly entity: string; readonly timeMs: number },
) => number | undefined;

/** Runs the task's pipeline over all readings. It keeps a number for each row, and no reading. */
export function findTruth(task: Task, devices: ReadonlyMap<DeviceId, readonly Reading[]>): Truth {
  const labels = new Map<DeviceId, ReadonlyMap<string, number>>();
  for (const [device, readings] of devices) labels.set(device, labelsOf(task, readings));
  return (device, { entity, timeMs }) => labels.get(device)?.get(nameOf(entity, timeMs));
}

function labelsOf(task: Task, readings: readonly Reading[]): ReadonlyMap<string, number> {
  const labels = new Map<string, number>();
  const pipeline = createPipeline(task, {
    counters: new Counters(),
    sink: {
      features: () => undefined,
      example: ({ entity, timeMs, label }) => labels.set(nameOf(entity, timeMs), label),
    },
  });
  for (const reading of readings) pipeline.push(reading);
  pipeline.flush();
  return labels;
}

function nameOf(entity: string, timeMs: number): string {
  return `${timeMs} ${entity}`;
}
