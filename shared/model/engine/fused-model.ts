// A model of the fused engine behind the port: flat arrays in and out of one memory.

import { assert } from "../../assert.js";
import { HeadwaterError } from "../../error.js";
import type { ParamSpec } from "../../params/spec.js";
import { sizeOf } from "../../params/spec.js";
import { isSame } from "../../params/vector.js";
import { randomStream } from "../../random.js";
import { checkLength, checkParams, checkTerms, notFinite } from "../check-input.js";
import type { ModelDefinition } from "../definition.js";
import { type LossName, lossOf } from "../loss.js";
import type { EngineName, EngineRefusal, Model, StepTerms, TrainingOptions } from "../runtime.js";
import type { CreateKernelMemory } from "./kernels.js";
import type { Pass } from "./layer.js";
import {
  applyGradient,
  clipGradient,
  freshState,
  type OptimizerState,
  slotsOf,
  startSlots,
} from "./optimizer.js";
import type { ModelPlan } from "./plan.js";
import { Program } from "./program.js";

/** Rows predicted at once: more would only need more memory. */
const PREDICT_ROWS = 64;

/** What a model is made of. */
export interface FusedModelParts {
  readonly definition: ModelDefinition;
  readonly plan: ModelPlan;
  readonly engine: EngineName;
  readonly create: CreateKernelMemory;
  readonly initialParams: (seed: string) => Promise<Float32Array>;
  readonly refusals?: readonly EngineRefusal[];
  /** Default: what the definition's output says. */
  readonly loss?: LossName;
}

/** A planned model. Its memory is made when it is first used, and again when it must grow. */
export class FusedModel implements Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  readonly engine: EngineName;
  readonly refusals: readonly EngineRefusal[];
  readonly initialParams: (seed: string) => Promise<Float32Array>;
  readonly #plan: ModelPlan;
  readonly #create: CreateKernelMemory;
  readonly #loss: LossName;
  /** Values of one row of truth. */
  readonly #truthWidth: number;
  readonly #pass: Pass = { isTraining: false, seed: 0, step: 0 };
  #program: Program | undefined;
  /** The current params came by `load` and no step has been made since. */
  #isChecked = false;
  #training: { readonly options: TrainingOptions; readonly state: OptimizerState } | undefined;

  constructor({ definition, plan, engine, create, initialParams, refusals, loss }: FusedModelParts) {
    this.definition = definition;
    this.spec = plan.spec;
    this.engine = engine;
    this.refusals = refusals ?? [];
    this.initialParams = initialParams;
    this.#plan = plan;
    this.#create = create;
    this.#loss = loss ?? lossOf(definition.output);
    const columns = plan.outputShape.at(-1) ?? 1;
    const size = sizeOf(plan.outputShape);
    this.#truthWidth = this.#loss === "sparseCategoricalCrossentropy" ? size / columns : size;
  }

  /** Params that are trained: the first so many. */
  get trainable(): number {
    return this.#plan.trainable;
  }

  load(params: Float32Array): void {
    const current = this.#params(this.#ready());
    // Served params are loaded for every prediction, and are the same ones.
    if (this.#isChecked && isSame(current, params)) return;
    checkParams(params, this.spec);
    current.set(params);
    this.#isChecked = true;
  }

  params(): Float32Array {
    return this.#params(this.#ready()).slice();
  }

  compile(options: TrainingOptions): void {
    this.release();
    const slots = slotsOf(options.optimizer);
    const program = this.#ready({ isTraining: true, slots });
    startSlots(options.optimizer, this.#slots(program, slots));
    this.#pass.seed = options.seed === undefined ? 0 : randomStream(options.seed, "dropout").uint32();
    this.#pass.step = 0;
    this.#training = { options, state: freshState(options.optimizer) };
  }

  step(x: Float32Array, y: Float32Array, rows: number, terms?: StepTerms): number {
    assert(this.#training !== undefined, "a model is compiled before its first step");
    const { options, state } = this.#training;
    if (terms !== undefined) checkTerms(terms, this.spec);
    const program = this.#ready({ rows, isTraining: true, slots: slotsOf(options.optimizer) });
    this.#isChecked = false;
    const loss = this.#learn(program, x, y, rows);
    if (terms !== undefined) this.#addTerms(program, terms);
    const { trainable } = this.#plan;
    if (options.clip !== undefined) clipGradient(program, options.clip, trainable);
    applyGradient(program, state, trainable, this.spec.count * 4);
    return loss;
  }

  lossGradient(x: Float32Array, y: Float32Array, rows: number, gradient: Float32Array): number {
    assert(gradient.length === this.spec.count, `a gradient of ${this.spec.count}, given ${gradient.length}`);
    const program = this.#ready({ rows, isTraining: true });
    // Moving statistics belong to steps: here they stay as they are.
    const { trainable } = this.#plan;
    const fixed = this.#params(program).slice(trainable);
    const loss = this.#learn(program, x, y, rows);
    this.#params(program).set(fixed, trainable);
    const at = program.places.gradient / 4;
    gradient.set(program.floats.subarray(at, at + this.spec.count));
    return loss;
  }

  optimizerState(): Float32Array {
    assert(this.#training !== undefined, "a model in training has an optimizer");
    const { options, state } = this.#training;
    const slots = this.#slots(this.#ready(), slotsOf(options.optimizer));
    return join(Float32Array.of(this.#pass.step, state.beta1, state.beta2), slots);
  }

  loadOptimizerState(saved: Float32Array): void {
    assert(this.#training !== undefined, "a model in training has an optimizer");
    const { options, state } = this.#training;
    const slots = this.#slots(this.#ready(), slotsOf(options.optimizer));
    if (saved.length !== slots.length + 3)
      throw new HeadwaterError(
        "data-invalid",
        `optimizer state holds ${saved.length} values, ${options.optimizer.kind} on this model has ${slots.length + 3}`,
      );
    [this.#pass.step, state.beta1, state.beta2] = [saved[0]!, saved[1]!, saved[2]!];
    slots.set(saved.subarray(3));
  }

  release(): void {
    this.#training = undefined;
  }

  predict(x: Float32Array, rows: number, out?: Float32Array): Float32Array {
    const { inputs, outputs } = this.definition;
    checkLength(x, rows, inputs, "input");
    const to = out ?? new Float32Array(rows * outputs);
    assert(to.length >= rows * outputs, `room for ${rows} x ${outputs} outputs, given ${to.length}`);
    const program = this.#ready({ rows: Math.min(rows, PREDICT_ROWS) });
    const most = program.options.capacity;
    this.#pass.isTraining = false;
    for (let row = 0; row < rows; row += most) {
      const part = Math.min(most, rows - row);
      this.#put(program, program.places.x, x, row * inputs, part * inputs);
      this.#checkFinite(program, program.places.x, part, inputs, { what: "input", before: row });
      program.forward(part, this.#pass);
      const from = program.places.y / 4;
      const { floats } = program;
      const at = row * outputs;
      for (let i = 0; i < part * outputs; i++) to[at + i] = floats[from + i]!;
    }
    return to;
  }

  dispose(): void {
    this.#training = undefined;
    this.#program = undefined;
  }

  #learn(program: Program, x: Float32Array, y: Float32Array, rows: number): number {
    const { inputs } = this.definition;
    checkLength(x, rows, inputs, "input");
    checkLength(y, rows, this.#truthWidth, "label");
    this.#put(program, program.places.x, x, 0, x.length);
    this.#put(program, program.places.truth, y, 0, y.length);
    this.#checkFinite(program, program.places.x, rows, inputs, { what: "input", before: 0 });
    this.#checkFinite(program, program.places.truth, rows, this.#truthWidth, { what: "label", before: 0 });
    this.#pass.isTraining = true;
    const loss = program.learn(rows, this.#pass);
    this.#pass.step++;
    return loss;
  }

  #addTerms({ kernels, places, floats }: Program, { proximal, correction }: StepTerms): void {
    const { trainable } = this.#plan;
    const spare = places.spare / 4;
    if (proximal !== undefined) {
      floats.set(proximal.anchor, spare);
      kernels.addProximal(places.params, places.spare, places.gradient, trainable, proximal.mu);
    }
    if (correction !== undefined) {
      floats.set(correction, spare);
      kernels.add(places.gradient, places.spare, places.gradient, trainable);
    }
  }

  // A program that has what is asked for; params, optimizer state and all move when a larger one takes over.
  #ready(
    need: { readonly rows?: number; readonly isTraining?: boolean; readonly slots?: number } = {},
  ): Program {
    const old = this.#program;
    const { capacity = 1, isTraining = false, slots = 0 } = old?.options ?? {};
    const rows = need.rows ?? 1;
    const isEnough =
      old !== undefined &&
      capacity >= rows &&
      slots >= (need.slots ?? 0) &&
      (isTraining || need.isTraining !== true);
    if (isEnough) return old;
    const options = {
      capacity: Math.max(capacity, rows),
      isTraining: isTraining || need.isTraining === true,
      loss: this.#loss,
      slots: Math.max(slots, need.slots ?? 0),
    };
    const program = new Program(this.#plan, options, this.#create);
    if (old !== undefined) {
      this.#params(program).set(this.#params(old));
      this.#slots(program, slots).set(this.#slots(old, slots));
    }
    this.#program = program;
    return program;
  }

  #params({ floats, places }: Program): Float32Array {
    return floats.subarray(places.params / 4, places.params / 4 + this.spec.count);
  }

  #slots({ floats, places }: Program, slots: number): Float32Array {
    return floats.subarray(places.slots / 4, places.slots / 4 + slots * this.spec.count);
  }

  // Small copies by hand: a view, and even a call, costs more than moving a row.
  #put({ floats }: Program, place: number, values: Float32Array, from: number, count: number): void {
    const to = place / 4;
    if (count === values.length && count > 48) floats.set(values, to);
    else if (count > 256) floats.set(values.subarray(from, from + count), to);
    else for (let i = 0; i < count; i++) floats[to + i] = values[from + i]!;
  }

  #checkFinite(
    { kernels, floats }: Program,
    place: number,
    rows: number,
    columns: number,
    { what, before }: { readonly what: string; readonly before: number },
  ): void {
    const at = kernels.firstNotFinite(place, rows * columns);
    if (at === rows * columns) return;
    throw notFinite(what, before + Math.floor(at / columns), at % columns, floats[place / 4 + at]!);
  }
}

function join(head: Float32Array, tail: Float32Array): Float32Array {
  const all = new Float32Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}
