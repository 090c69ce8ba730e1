// A task's candidates, built: several models that answer alike, used as one.

import { assert } from "../assert.js";
import { planPipeline } from "../pipeline/plan.js";
import type { Task } from "../task/task.js";
import { defineModel } from "./define.js";
import type { ModelDefinition } from "./definition.js";
import type { Model, ModelRuntime, StepTerms, TrainingOptions } from "./runtime.js";

/** The model of a task; of one with candidates, all of theirs. Rejects with HeadwaterError `model-unsupported`. */
export async function buildTaskModel(task: Task, runtime: ModelRuntime): Promise<Model> {
  const columns = planPipeline(task).columns.length;
  if (task.candidates === undefined) return runtime.model(defineModel(task.model, columns));
  const arms = new Map<string, Model>();
  for (const [name, { model }] of Object.entries(task.candidates)) {
    arms.set(name, await runtime.model(defineModel(model, columns)));
  }
  return new ArmsModel(arms);
}

/** `params` are those of a version of `arm`. A model without arms needs no telling. */
export function claimParams(model: Model, params: Float32Array, arm: string | undefined): void {
  if (!(model instanceof ArmsModel)) return;
  const owner = arm === undefined ? undefined : model.arms.get(arm);
  assert(owner !== undefined, `no candidate is called ${arm}`);
  model.claim(params, owner);
}

/**
 * The models of all arms as one. Which of them params are for is not in the params: whoever checks a version says it
 * once, and `load` knows. Candidates answer alike, so widths and output are the same for all.
 */
export class ArmsModel implements Model {
  readonly arms: ReadonlyMap<string, Model>;
  readonly #first: Model;
  readonly #claims = new WeakMap<Float32Array, Model>();
  #current: Model;

  /** At least one arm, by name. */
  constructor(arms: ReadonlyMap<string, Model>) {
    const [first] = arms.values();
    assert(first !== undefined, "a task with candidates has some");
    this.arms = arms;
    this.#first = first;
    this.#current = first;
  }

  /** `params` belong to that arm, from now on. */
  claim(params: Float32Array, arm: Model): void {
    this.#claims.set(params, arm);
  }

  get definition(): ModelDefinition {
    return this.#first.definition;
  }

  get spec() {
    return this.#first.spec;
  }

  get engine() {
    return this.#first.engine;
  }

  get refusals() {
    return this.#first.refusals;
  }

  load(params: Float32Array): void {
    const arm = this.#claims.get(params);
    assert(arm !== undefined, "params of a version have been claimed for its arm");
    this.#current = arm;
    arm.load(params);
  }

  initialParams(seed: string) {
    return this.#first.initialParams(seed);
  }

  params() {
    return this.#current.params();
  }

  compile(options: TrainingOptions) {
    this.#current.compile(options);
  }

  step(x: Float32Array, y: Float32Array, rows: number, terms?: StepTerms) {
    return this.#current.step(x, y, rows, terms);
  }

  lossGradient(x: Float32Array, y: Float32Array, rows: number, gradient: Float32Array) {
    return this.#current.lossGradient(x, y, rows, gradient);
  }

  optimizerState() {
    return this.#current.optimizerState();
  }

  loadOptimizerState(state: Float32Array) {
    return this.#current.loadOptimizerState(state);
  }

  release() {
    this.#current.release();
  }

  predict(x: Float32Array, rows: number, out?: Float32Array) {
    return this.#current.predict(x, rows, out);
  }

  dispose() {
    for (const arm of this.arms.values()) arm.dispose();
  }
}
