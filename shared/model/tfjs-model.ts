// One tfjs LayersModel behind the port: flat arrays in, flat arrays out, no tensor left behind.

import type { LayersModel, Optimizer, Tensor } from "@tensorflow/tfjs";
import { assert, unreachable } from "../assert.js";
import { createParamSpec, type ParamSpec } from "../params/spec.js";
import type { OptimizerSpec } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";
import type { Model } from "./runtime.js";
import type { Tfjs } from "./tfjs-engine.js";

/** What a model is made of. `initialParams` draws new ones; it needs the builder, which the runtime has. */
export interface TfjsModelParts {
  readonly tf: Tfjs;
  readonly definition: ModelDefinition;
  /** Owned by the model from now on. */
  readonly layers: LayersModel;
  readonly initialParams: (seed: string) => Promise<Float32Array>;
}

/** A built model. `step` is tfjs's `trainOnBatch`, `predict` its `predictOnBatch`. */
export class TfjsModel implements Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  readonly initialParams: (seed: string) => Promise<Float32Array>;
  readonly #tf: Tfjs;
  readonly #layers: LayersModel;
  readonly #inputShape: number[];
  readonly #outputShape: number[];
  #optimizer: Optimizer | undefined;
  /** Equal to the current params when defined. */
  #known: Float32Array | undefined;

  constructor({ tf, definition, layers, initialParams }: TfjsModelParts) {
    this.definition = definition;
    this.initialParams = initialParams;
    this.spec = paramSpecOf(layers);
    this.#tf = tf;
    this.#layers = layers;
    this.#inputShape = rowShape(layers.inputs[0]?.shape);
    this.#outputShape = rowShape(layers.outputs[0]?.shape);
  }

  load(params: Float32Array): void {
    assert(params.length === this.spec.count, `${params.length} params for a model of ${this.spec.count}`);
    if (this.#known !== undefined && isSame(this.#known, params)) return;
    const known = params.slice();
    this.#tf.tidy(() => this.#layers.setWeights(tensorsOf(this.#tf, this.spec, known)));
    this.#known = known;
  }

  params(): Float32Array {
    this.#known ??= flatten(this.#layers, this.spec);
    return this.#known.slice();
  }

  compile(optimizer: OptimizerSpec): void {
    this.release();
    this.#optimizer = createOptimizer(this.#tf, optimizer);
    const { output } = this.definition;
    const loss = output.kind === "classification" ? "categoricalCrossentropy" : output.loss;
    this.#layers.compile({ optimizer: this.#optimizer, loss });
  }

  async step(x: Float32Array, y: Float32Array, rows: number): Promise<number> {
    assert(this.#optimizer !== undefined, "a model is compiled before its first step");
    const inputs = this.#rows(x, rows, this.#inputShape);
    const targets = this.#rows(y, rows, this.#outputShape);
    this.#known = undefined;
    try {
      const loss = await this.#layers.trainOnBatch(inputs, targets);
      assert(typeof loss === "number", "one output has one loss");
      return loss;
    } finally {
      inputs.dispose();
      targets.dispose();
    }
  }

  release(): void {
    if (this.#optimizer === undefined) return;
    disposeOptimizer(this.#optimizer);
    this.#optimizer = undefined;
  }

  predict(x: Float32Array, rows: number): Float32Array {
    const outputs = this.#tf.tidy(() => {
      const result = this.#layers.predictOnBatch(this.#rows(x, rows, this.#inputShape));
      assert(!Array.isArray(result), "a model has one output");
      return result.dataSync<"float32">();
    });
    assert(outputs.length === rows * this.definition.outputs, "a row has as many outputs as defined");
    return outputs;
  }

  dispose(): void {
    this.release();
    this.#layers.dispose();
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

function isSame(a: Float32Array, b: Float32Array): boolean {
  return bytesOf(a).equals(bytesOf(b));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function createOptimizer(tf: Tfjs, spec: OptimizerSpec): Optimizer {
  switch (spec.kind) {
    case "sgd":
      return tf.train.sgd(spec.learningRate);
    case "momentum":
      return tf.train.momentum(spec.learningRate, spec.momentum);
    case "adam":
      return tf.train.adam(spec.learningRate);
    default:
      return unreachable(spec);
  }
}

function disposeOptimizer(optimizer: Optimizer): void {
  optimizer.dispose();
  // Momentum extends SGD but, in tfjs 4.22, forgets SGD's own tensor, the learning rate.
  const rate: unknown = Reflect.get(optimizer, "c");
  if (isDisposable(rate) && !rate.isDisposed) rate.dispose();
}

function isDisposable(value: unknown): value is { isDisposed: boolean; dispose(): void } {
  return typeof value === "object" && value !== null && "isDisposed" in value && "dispose" in value;
}
