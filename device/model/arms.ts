// A task's candidates on a device: what a version of each is checked against.

import { assert } from "../../shared/assert.js";
import { ArmsModel } from "../../shared/model/arms-model.js";
import type { Model } from "../../shared/model/runtime.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { ModelPlace } from "./check.js";

/** What versions of a task are checked against: one place, or one per arm. */
export function placeOf(model: Model, { task, pipelineHash }: LoadedTask): ModelPlace {
  const { definition, spec } = model;
  const place = { definition, spec, pipelineHash };
  if (!(model instanceof ArmsModel) || task.candidates === undefined) return place;
  const arms = Object.entries(task.candidates).map(([name, { train }]) => {
    const arm = model.arms.get(name);
    assert(arm !== undefined, `candidate ${name} is built`);
    const claim = (params: Float32Array) => model.claim(params, arm);
    return [name, { definition: arm.definition, spec: arm.spec, pipelineHash, plan: train, claim }] as const;
  });
  return { ...place, arms: new Map(arms) };
}
