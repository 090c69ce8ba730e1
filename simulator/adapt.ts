// A task fitted to one simulation of it.

import { type LoadedTask, parseTaskSource } from "../shared/task/parse.js";

/**
 * The task for `devices` devices and, when given, so many train rounds. Fewer devices than the task waits for, or other
 * rounds, are another task: it gets hashes of its own.
 */
export function adaptTask(
  loaded: LoadedTask,
  { devices, rounds }: { readonly devices: number; readonly rounds: number | undefined },
): LoadedTask {
  const { max, minDevices } = loaded.task.rounds;
  const wanted = { max: rounds ?? max, minDevices: Math.min(minDevices, devices) };
  if (wanted.max === max && wanted.minDevices === minDevices) return loaded;
  const source = JSON.parse(loaded.source) as { readonly rounds?: object };
  const changed = parseTaskSource(JSON.stringify({ ...source, rounds: { ...source.rounds, ...wanted } }));
  return { ...changed, task: { ...changed.task, simulate: loaded.task.simulate } };
}
