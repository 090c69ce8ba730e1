// The task and what it costs, as `headwater plan` says it. It never changes while the server runs.

import { planPipeline } from "../../shared/pipeline/plan.js";
import { writeYaml } from "../../shared/task/yaml.js";
import { float32 } from "../../shared/wire/codec/float32.js";
import type { TaskView } from "./schema.js";
import type { ApiSources } from "./views.js";

const described = new WeakMap<object, TaskView>();

export function describeTask(sources: ApiSources): TaskView {
  const known = described.get(sources.source);
  if (known !== undefined) return known;
  const view = plan(sources);
  described.set(sources.source, view);
  return view;
}

function plan({ task, source, server }: ApiSources): TaskView {
  const { columns, stateBytesPerEntity, pendingBytesPerEntity, warmUp, parts } = planPipeline(task);
  return {
    task: task.task,
    yaml: writeYaml(JSON.parse(source.source)),
    taskHash: source.taskHash,
    pipelineHash: source.pipelineHash,
    columns: [...columns],
    params: server.paramCount,
    bytesPerUpdate: float32.byteLength(server.paramCount),
    stateBytesPerEntity,
    pendingBytesPerEntity,
    gapMs: task.rows.split.gapMs,
    warmUpMs: warmUp.ms,
    warmUpRows: warmUp.rows,
    parts: parts.map((part) => ({
      where: part.where,
      name: part.name,
      columns: part.columns.length,
      stateBytes: Math.ceil(part.stateBytes),
      warmUpMs: Math.ceil(part.warmUpMs),
      warmUpRows: Math.ceil(part.warmUpRows),
    })),
  };
}
