// What the server needs to know of a task's models without running them.

import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { defineModel, modelSignature } from "../../shared/model/define.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { EngineName, ModelRuntime } from "../../shared/model/runtime.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { ModelSpec, SelectSpec } from "../../shared/task/task.js";

/** One model: its shape, and where its first params come from. */
export interface ArmLearning {
  /** The candidate that it is; undefined when the task has none. */
  readonly arm: string | undefined;
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  /** Says what params mean once the scaler is known. */
  signatureOf(scaler: FittedScaler): string;
  /** Where training starts: the same for the same root seed. Nobody writes to them. */
  readonly initialParams: Float32Array;
  /** Which engine drew them. */
  readonly engine: EngineName;
}

/** A task's model; of a task with candidates, the first of those that may be tried, and with it the others. */
export interface Learning extends ArmLearning {
  /** Feature columns, without the label. */
  readonly columns: number;
  /** Changes when params of the one could not be used by the other. */
  readonly identity: string;
  /** Candidates within the task's limits, in the order of their names; empty without candidates. */
  readonly arms: readonly ArmLearning[];
  /** Candidates that are not tried, and why. */
  readonly excluded: readonly { readonly arm: string; readonly reason: string }[];
  /** The model that versions of an arm are of. */
  of(arm: string | undefined): ArmLearning;
}

/** Bytes of so many params on the wire, as float32. */
export function paramBytes({ spec }: Pick<ArmLearning, "spec">): number {
  return spec.count * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Builds the models of `loaded` once; afterwards no engine is needed. Rejects with `model-unsupported`, and with
 * `task-invalid` when every candidate is beyond the task's limits.
 */
export async function createLearning(
  loaded: LoadedTask,
  runtime: ModelRuntime,
  seed: string,
): Promise<Learning> {
  const { task, pipelineHash } = loaded;
  const columns = planPipeline(task).columns.length;
  const build = (model: ModelSpec, arm?: string) =>
    buildArm({ model, arm, columns, pipelineHash }, runtime, seed);
  const all: ArmLearning[] = [];
  for (const [name, { model }] of Object.entries(task.candidates ?? {})) all.push(await build(model, name));
  const judged = all.map((each) => ({ each, reason: overLimit(each, task.select) }));
  const arms = judged.filter(({ reason }) => reason === undefined).map(({ each }) => each);
  const excluded = judged.flatMap(({ each, reason }) =>
    each.arm === undefined || reason === undefined ? [] : [{ arm: each.arm, reason }],
  );
  const first = task.candidates === undefined ? await build(task.model) : arms[0];
  if (first === undefined) throw allExcluded(excluded);
  const known = new Map([first, ...all].map((each) => [each.arm, each]));
  return {
    ...first,
    ...{ columns, arms, excluded },
    identity: learningIdentity(loaded),
    of(arm) {
      const found = known.get(arm);
      assert(found !== undefined, `versions are of candidates that the task has: ${arm}`);
      return found;
    },
  };
}

interface ArmParts {
  readonly model: ModelSpec;
  readonly arm: string | undefined;
  readonly columns: number;
  readonly pipelineHash: string;
}

async function buildArm(
  { model, arm, columns, pipelineHash }: ArmParts,
  runtime: ModelRuntime,
  seed: string,
): Promise<ArmLearning> {
  const definition = defineModel(model, columns);
  const { topologyHash } = definition;
  const built = await runtime.model(definition);
  return {
    ...{ arm, definition },
    spec: built.spec,
    engine: built.engine,
    signatureOf: (scaler) => modelSignature({ pipelineHash, topologyHash, scalerHash: scalerHash(scaler) }),
    initialParams: await built.initialParams(seed),
  };
}

function overLimit(learning: ArmLearning, select: SelectSpec | undefined): string | undefined {
  const { count } = learning.spec;
  const { parameters = count, bytes = Number.POSITIVE_INFINITY } = select?.limits ?? {};
  if (count > parameters) return `${count} parameters above limit ${parameters}`;
  const needed = paramBytes(learning);
  return needed > bytes ? `${needed} bytes above limit ${bytes}` : undefined;
}

function allExcluded(excluded: Learning["excluded"]): HeadwaterError {
  const reasons = excluded.map(({ arm, reason }) => `${arm}: ${reason}`).join("; ");
  return new HeadwaterError("task-invalid", `every candidate is beyond the limits of select: ${reasons}`);
}

/** The same for all tasks that can use each other's params. Needs no engine. */
export function learningIdentity({ task, pipelineHash }: LoadedTask): string {
  const columns = planPipeline(task).columns.length;
  const hashOf = (model: ModelSpec) => defineModel(model, columns).topologyHash;
  const topologies =
    task.candidates === undefined
      ? [hashOf(task.model)]
      : Object.entries(task.candidates).map(([arm, { model }]) => `${arm}=${hashOf(model)}`);
  return sha256Hex([task.task, pipelineHash, ...topologies].join("|"));
}
