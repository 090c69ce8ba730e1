// One tfjs LayersModel behind the port: flat arrays in, flat arrays out, no tensor left behind.

import type { LayersModel, NamedTensorMap, Optimizer, Scalar, Tensor, Variable } from "@tensorflow/tfjs";
import { assert } from "../assert.js";
import { createParamSpec, type ParamSpec, sizeOf } from "../params/spec.js";
import { isSame } from "../params/vector.js";
import { checkParams, checkRows, checkTerms } from "./check-input.js";
import { clip } from "./clip.js";
import type { ModelDefinition } from "./definition.js";
import { type LossName, lossOf } from "./loss.js";
import type { EngineName, EngineRefusal, Model, StepTerms, TrainingOptions } from "./runtime.js";
import type { Tfjs } from "./tfjs-engine.js";
import { createOptimizer, disposeOptimizer, restoreOptimizer, saveOptimizer } from "./tfjs-optimizer.js";

/** What a model is made of. `initialParams` draws new ones; it needs the builder, which the runtime has. */
export interface TfjsModelParts {
  readonly tf: Tfjs;
  readonly definition: ModelDefinition;
  /** Owned by the model from now on. */
  readonly layers: LayersModel;
  readonly initialParams: (seed: string) => Promise<Float32Array>;
  readonly engine: EngineName;
  readonly refusals?: readonly EngineRefusal[];
  /** Default: what the definition's output says. */
  readonly loss?: LossName;
}

/** A built model. `step` is tfjs's `trainOnBatch`, `predict` its `predictOnBatch`. */
export class TfjsModel implements Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  readonly engine: EngineName;
  readonly refusals: readonly EngineRefusal[];
  readonly initialParams: (seed: string) => Promise<Float32Array>;
  readonly #tf: Tfjs;
  readonly #loss: LossName;
  readonly #layers: LayersModel;
  readonly #inputShape: number[];
  readonly #outputShape: number[];
  #training: { readonly options: TrainingOptions; readonly optimizer: Optimizer } | undefined;
  #isDisposed = false;
  /** The current params came by `load` and no step has been made since. */
  #isChecked = false;
  /** Equal to the current params when defined. */
  #known: Float32Array | undefined;

  constructor({ tf, definition, layers, initialParams, engine, refusals, loss }: TfjsModelParts) {
    this.engine = engine;
    this.refusals = refusals ?? [];
    this.#loss = loss ?? lossOf(definition.output);
    this.definition = definition;
    this.initialParams = initialParams;
    this.spec = paramSpecOf(layers);
    this.#tf = tf;
    this.#layers = layers;
    this.#inputShape = rowShape(layers.inputs[0]?.shape);
    this.#outputShape = rowShape(layers.outputs[0]?.shape);
  }

  load(params: Float32Array): void {
    if (this.#isChecked && this.#known !== undefined && isSame(this.#known, params)) return;
    checkParams(params, this.spec);
    this.#isChecked = true;
    this.#write(params.slice());
  }

  params(): Float32Array {
    this.#known ??= flatten(this.#layers, this.spec);
    return this.#known.slice();
  }

  compile(options: TrainingOptions): void {
    this.release();
    const optimizer = createOptimizer(this.#tf, options.optimizer);
    const huber = (truth: Tensor, predicted: Tensor) =>
      this.#tf.losses.huberLoss(truth, predicted, undefined, 1, this.#tf.Reduction.NONE);
    this.#layers.compile({ optimizer, loss: this.#loss === "huber" ? huber : this.#loss });
    this.#training = { options, optimizer };
  }

  async step(x: Float32Array, y: Float32Array, rows: number, terms?: StepTerms): Promise<number> {
    assert(this.#training !== undefined, "a model is compiled before its first step");
    const { options, optimizer } = this.#training;
    this.#check(x, y, rows);
    if (terms !== undefined) checkTerms(terms, this.spec);
    this.#known = undefined;
    this.#isChecked = false;
    if (terms === undefined && options.clip === undefined) return this.#trainOnBatch(x, y, rows);
    const { loss, gradient } = this.#gradient(x, y, rows);
    addTerms(gradient, this.params(), terms ?? {});
    if (options.clip !== undefined) clip(gradient, options.clip);
    const variables = this.#variables();
    const named: NamedTensorMap = {};
    let at = 0;
    for (const { name, shape, size } of variables) {
      named[name] = this.#tf.tensor(gradient.slice(at, at + size), [...shape]);
      at += size;
    }
    optimizer.applyGradients(named);
    this.#tf.dispose(named);
    this.#known = undefined;
    return loss;
  }

  lossGradient(x: Float32Array, y: Float32Array, rows: number, gradient: Float32Array): number {
    assert(gradient.length === this.spec.count, `a gradient of ${this.spec.count}, given ${gradient.length}`);
    this.#check(x, y, rows);
    // Moving statistics belong to steps: here they stay as they are.
    const before = this.params();
    const result = this.#gradient(x, y, rows);
    this.#write(before);
    gradient.fill(0);
    gradient.set(result.gradient);
    return result.loss;
  }

  async optimizerState(): Promise<Float32Array> {
    assert(this.#training !== undefined, "a model in training has an optimizer");
    return saveOptimizer(this.#training.optimizer);
  }

  async loadOptimizerState(state: Float32Array): Promise<void> {
    assert(this.#training !== undefined, "a model in training has an optimizer");
    const { optimizer, options } = this.#training;
    const trained = this.spec.entries.slice(0, this.#layers.trainableWeights.length);
    await restoreOptimizer(this.#tf, { optimizer, kind: options.optimizer.kind }, trained, state);
  }

  release(): void {
    if (this.#training === undefined) return;
    disposeOptimizer(this.#training.optimizer);
    this.#training = undefined;
  }

  predict(x: Float32Array, rows: number, out?: Float32Array): Float32Array {
    checkRows(x, rows, this.definition.inputs, "input");
    const outputs = this.#tf.tidy(() => {
      const result = this.#layers.predictOnBatch(this.#rows(x, rows, this.#inputShape));
      assert(!Array.isArray(result), "a model has one output");
      return result.dataSync<"float32">();
    });
    assert(outputs.length === rows * this.definition.outputs, "a row has as many outputs as defined");
    if (out === undefined) return outputs;
    out.set(outputs);
    return out;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.release();
    this.#layers.dispose();
  }

  /** Values of one row of truth. */
  get truthWidth(): number {
    return sizeOf(this.#truthShape());
  }

  // Unchecked: a model that has diverged is given back its own params.
  #write(known: Float32Array): void {
    this.#tf.tidy(() => this.#layers.setWeights(tensorsOf(this.#tf, this.spec, known)));
    this.#known = known;
  }

  #check(x: Float32Array, y: Float32Array, rows: number): void {
    checkRows(x, rows, this.definition.inputs, "input");
    checkRows(y, rows, this.truthWidth, "label");
  }

  // Class indices have one column where probabilities have many.
  #truthShape(): number[] {
    return this.#loss === "sparseCategoricalCrossentropy"
      ? [...this.#outputShape.slice(0, -1), 1]
      : this.#outputShape;
  }

  async #trainOnBatch(x: Float32Array, y: Float32Array, rows: number): Promise<number> {
    const inputs = this.#rows(x, rows, this.#inputShape);
    const targets = this.#rows(y, rows, this.#truthShape());
    try {
      const loss = await this.#layers.trainOnBatch(inputs, targets);
      assert(typeof loss === "number", "one output has one loss");
      return loss;
    } finally {
      inputs.dispose();
      targets.dispose();
    }
  }

  // What trainOnBatch differentiates, without the step: the mean loss, and penalties.
  #gradient(x: Float32Array, y: Float32Array, rows: number): { loss: number; gradient: Float32Array } {
    const tf = this.#tf;
    const variables = this.#variables();
    const model = compiled(this.#layers);
    assert(
      model.lossFunctions !== undefined,
      "a model has been compiled since it was built: its first step was tried",
    );
    return tf.tidy(() => {
      const inputs = this.#rows(x, rows, this.#inputShape);
      const targets = this.#rows(y, rows, this.#truthShape());
      const { value, grads } = tf.variableGrads(() => {
        const predicted = this.#layers.apply(inputs, { training: true }) as Tensor;
        const losses = [tf.mean(model.lossFunctions[0]!(targets, predicted))];
        return [...losses, ...model.calculateLosses()].reduce((sum, loss) => sum.add(loss)) as Scalar;
      }, variables);
      const gradient = new Float32Array(variables.reduce((sum, { size }) => sum + size, 0));
      let at = 0;
      for (const { name, size } of variables) {
        gradient.set(grads[name]!.dataSync<"float32">(), at);
        at += size;
      }
      return { loss: value.dataSync()[0]!, gradient };
    });
  }

  #variables(): Variable[] {
    return this.#layers.trainableWeights.map((weight) => weight.read() as Variable);
  }

  #rows(values: Float32Array, rows: number, shape: readonly number[]): Tensor {
    return this.#tf.tensor(values, [rows, ...shape], "float32");
  }
}

/** The layout of a tfjs model's params. */
export function paramSpecOf(layers: LayersModel): ParamSpec {
  return createParamSpec(
    layers.weights.map(({ originalName, shape }) => ({ name: originalName, shape: shape.map(Number) })),
  );
}

/** A tfjs model's params as one new array. */
export function flatten(layers: LayersModel, spec: ParamSpec): Float32Array {
  const flat = new Float32Array(spec.count);
  layers.getWeights().forEach((tensor, at) => {
    flat.set(tensor.dataSync<"float32">(), spec.entries[at]?.offset);
  });
  return flat;
}

// Each tensor has an array of its own: the cpu backend keeps what it is given.
function tensorsOf(tf: Tfjs, spec: ParamSpec, params: Float32Array): Tensor[] {
  return spec.entries.map(({ offset, size, shape }) =>
    tf.tensor(params.slice(offset, offset + size), [...shape], "float32"),
  );
}

function rowShape(batchShape: readonly (number | null)[] | undefined): number[] {
  return (batchShape ?? []).slice(1).map(Number);
}

// A sequential model keeps what it was compiled with in the functional one inside it.
function compiled(layers: LayersModel): LayersModel {
  const inner: unknown = Reflect.get(layers, "model");
  return (inner as LayersModel | undefined) ?? layers;
}

function addTerms(gradient: Float32Array, params: Float32Array, { proximal, correction }: StepTerms): void {
  for (let i = 0; i < gradient.length; i++) {
    if (proximal !== undefined) gradient[i]! += proximal.mu * (params[i]! - proximal.anchor[i]!);
    if (correction !== undefined) gradient[i]! += correction[i]!;
  }
}
