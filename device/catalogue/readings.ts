// From logged messages back to readings, by the decoders of a task.

import type { DeviceId } from "../../shared/id.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Task } from "../../shared/task/task.js";
import { decoderOf, readSources } from "../ingest/decoders/of-task.js";
import type { SourceMessage } from "../ingest/sources/port.js";

/** Decodes messages of all the task's sources, in order; what it cannot read gives nothing. */
export async function createReadingDecoder(
  task: Task,
  device: DeviceId,
): Promise<(message: SourceMessage) => readonly Reading[]> {
  const loaded = readSources(task).map(async (layout) => {
    const isHost = task.sources[layout.name]!.host !== undefined;
    return [layout.name, await decoderOf(task, layout, { device, isHost })] as const;
  });
  const bySource = new Map(await Promise.all(loaded));
  return (message) => bySource.get(message.source)?.(message).readings ?? [];
}

/** Every field that the task reads, source by source. */
export function fieldsOf(task: Task): readonly string[] {
  return [...new Set(readSources(task).flatMap(({ fields }) => fields.map(({ name }) => name)))];
}
