// What the server needs to know of a task's model without running it.

import { defineModel, modelSignature } from "../../shared/model/define.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { EngineName, ModelRuntime } from "../../shared/model/runtime.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { LoadedTask } from "../../shared/task/parse.js";

/** A task's model: its shape, and where its first params come from. */
export interface Learning {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  /** Feature columns, without the label. */
  readonly columns: number;
  /** Says what params mean once the scaler is known. */
  signatureOf(scaler: FittedScaler): string;
  /** Where training starts: the same for the same root seed. Nobody writes to them. */
  readonly initialParams: Float32Array;
  /** Which engine drew them. */
  readonly engine: EngineName;
  /** Changes when params of the one could not be used by the other. */
  readonly identity: string;
}

/** Builds the model of `loaded` once; afterwards no engine is needed. Rejects with `model-unsupported`. */
export async function createLearning(
  loaded: LoadedTask,
  runtime: ModelRuntime,
  seed: string,
): Promise<Learning> {
  const { task, pipelineHash } = loaded;
  const columns = planPipeline(task).columns.length;
  const definition = defineModel(task.model, columns);
  const { topologyHash } = definition;
  const model = await runtime.model(definition);
  return {
    definition,
    spec: model.spec,
    columns,
    signatureOf: (scaler) => modelSignature({ pipelineHash, topologyHash, scalerHash: scalerHash(scaler) }),
    engine: model.engine,
    initialParams: await model.initialParams(seed),
    identity: learningIdentity(loaded, topologyHash),
  };
}

/** The same for all tasks that can use each other's params. */
export function learningIdentity({ task, pipelineHash }: LoadedTask, topologyHash: string): string {
  return sha256Hex(`${task.task}|${pipelineHash}|${topologyHash}`);
}
