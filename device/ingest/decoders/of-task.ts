// The decoders that a task's pipeline needs: one per source that something reads.

import type { DeviceId } from "../../../shared/id.js";
import { layOut, type SourceLayout } from "../../../shared/pipeline/layout.js";
import type { Task } from "../../../shared/task/task.js";
import { createEntityReader } from "../entity.js";
import type { Decode } from "./port.js";
import { createDecoder } from "./registry.js";

/** Every source that something reads, with what is read of it: those of the features, and that of the labels. */
export function readSources(task: Task): readonly SourceLayout[] {
  const { sources, labelSource } = layOut(task);
  const isOther = labelSource !== undefined && sources.every(({ name }) => name !== labelSource.name);
  return isOther ? [...sources, labelSource] : sources;
}

/** The decoder of one source, as `device` runs it. */
export function decoderOf(task: Task, { name, fields }: SourceLayout, device: DeviceId): Promise<Decode> {
  const source = task.sources[name]!;
  const entityOf = createEntityReader(source.entity ?? task.entity, device);
  return createDecoder({ name, source, fields, entityOf });
}
