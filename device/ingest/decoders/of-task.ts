// The decoders that a task's pipeline needs: one per source that something reads.

import type { DeviceId } from "../../../shared/id.js";
import { layOut, type SourceLayout } from "../../../shared/pipeline/layout.js";
import type { SourceSpec, Task } from "../../../shared/task/task.js";
import { createEntityReader } from "../entity.js";
import type { Decode } from "./port.js";
import { createDecoder } from "./registry.js";

/** Every source that something reads, with what it reads of it: those of the features, and that of the labels. */
export function readSources(task: Task): readonly SourceLayout[] {
  const { sources, labelSource } = layOut(task);
  const read = new Map(sources.map((source) => [source.name, source]));
  if (labelSource !== undefined) read.set(labelSource.name, labelSource);
  return [...read.values()];
}

/** The decoder of one source, as `device` runs it. `isHost`: what it says is about the machine itself. */
export function decoderOf(
  task: Task,
  { name, fields }: SourceLayout,
  { device, isHost }: { readonly device: DeviceId; readonly isHost: boolean },
): Promise<Decode> {
  const source = task.sources[name]!;
  const template = source.entity ?? (isHost ? "{device}" : task.entity);
  return createDecoder({ name, source, fields, entityOf: createEntityReader(template, device) });
}

/** Lines of a file are handed on below its first one, unless the task names the columns. */
export function namesColumns({ decode }: SourceSpec): boolean {
  return decode.kind === "csv" && decode.columns === undefined;
}
