// The model runtime on TensorFlow.js. Only this file and its `tfjs-*` neighbours know tensors.

import type { LayersModel } from "@tensorflow/tfjs";
import { assert } from "../assert.js";
import { HeadwaterError, messageOf } from "../error.js";
import type { JsonObject } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";
import type { EngineName, Model, ModelRuntime } from "./runtime.js";
import { startEngine, type Tfjs } from "./tfjs-engine.js";
import { speedUpWasmMatMul } from "./tfjs-matmul.js";
import { flatten, paramSpecOf, TfjsModel } from "./tfjs-model.js";
import { findUnsupported, seedTopology } from "./topology.js";

/**
 * A runtime on `engine`. tfjs has one backend per thread: while a runtime lives, others of its thread must be of
 * the same engine. Rejects with HeadwaterError `engine-unavailable`.
 */
export async function createTfjsRuntime(engine: EngineName): Promise<ModelRuntime> {
  claimThread(engine);
  try {
    const tf = await startEngine(engine);
    if (engine === "tfjs-wasm") speedUpWasmMatMul(tf);
    return new TfjsRuntime(engine, tf);
  } catch (error) {
    leaveThread();
    throw error;
  }
}

// Module state mirrors tfjs's own: a worker thread has its own copy of both.
const thread: { engine: EngineName | undefined; runtimes: number } = { engine: undefined, runtimes: 0 };

function claimThread(engine: EngineName): void {
  if (thread.runtimes > 0 && thread.engine !== engine)
    throw new HeadwaterError(
      "engine-unavailable",
      `engine ${engine} cannot start beside ${thread.engine} in one thread; dispose that runtime or use a worker`,
    );
  thread.engine = engine;
  thread.runtimes++;
}

function leaveThread(): void {
  thread.runtimes--;
}

class TfjsRuntime implements ModelRuntime {
  readonly engine: EngineName;
  readonly #tf: Tfjs;
  /** By topology hash. As many as there are tasks in this process: a handful. */
  readonly #models = new Map<string, Promise<TfjsModel>>();
  #disposed = false;

  constructor(engine: EngineName, tf: Tfjs) {
    this.engine = engine;
    this.#tf = tf;
  }

  model(definition: ModelDefinition): Promise<Model> {
    assert(!this.#disposed, "a disposed runtime builds no models");
    const key = definition.topologyHash;
    let model = this.#models.get(key);
    if (model === undefined) {
      model = this.#build(definition);
      this.#models.set(key, model);
      model.catch(() => this.#models.delete(key));
    }
    return model;
  }

  liveTensors(): number {
    return this.#tf.memory().numTensors;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const model of this.#models.values())
      model.then(
        (built) => built.dispose(),
        () => undefined,
      );
    this.#models.clear();
    leaveThread();
  }

  async #build(definition: ModelDefinition): Promise<TfjsModel> {
    const problems = findUnsupported(definition.topology, this.engine);
    if (problems.length > 0) throw unsupported(problems.join("\n"));
    const layers = await buildLayers(this.#tf, definition.topology);
    // Written out by tfjs, every initializer is there in full, defaults included, and can be given its seed.
    const complete: JsonObject = JSON.parse(String(layers.toJSON(null, true)));
    const initialParams = (seed: string) => drawParams(this.#tf, seedTopology(complete, seed));
    checkWidths(layers, definition);
    const model = new TfjsModel({ tf: this.#tf, definition, layers, initialParams });
    model.load(await initialParams(""));
    await tryOneStep(model, this.engine);
    return model;
  }
}

async function buildLayers(tf: Tfjs, topology: JsonObject): Promise<LayersModel> {
  try {
    // A copy, because tfjs keeps what it is given.
    return await tf.models.modelFromJSON(JSON.parse(JSON.stringify(topology)));
  } catch (cause) {
    throw unsupported(`tfjs cannot build the topology: ${messageOf(cause)}`, cause);
  }
}

async function drawParams(tf: Tfjs, seeded: JsonObject): Promise<Float32Array> {
  const layers = await buildLayers(tf, seeded);
  const params = flatten(layers, paramSpecOf(layers));
  layers.dispose();
  return params;
}

function checkWidths(layers: LayersModel, { inputs, outputs }: ModelDefinition): void {
  const problems = [
    ...widthProblem("input", layers.inputs, inputs),
    ...widthProblem("output", layers.outputs, outputs),
  ];
  if (problems.length === 0) return;
  layers.dispose();
  throw unsupported(problems.join("\n"));
}

function widthProblem(
  side: "input" | "output",
  ends: readonly { readonly shape: readonly (number | null)[] }[],
  expected: number,
): string[] {
  const [end] = ends;
  if (ends.length !== 1 || end === undefined) return [`the topology has ${ends.length} ${side}s, expected 1`];
  const width = end.shape.slice(1).reduce<number>((product, length) => product * (length ?? Number.NaN), 1);
  if (width === expected) return [];
  return [
    `the topology's ${side} shape [${end.shape.slice(1).join(", ")}] holds ${width} values, expected ${expected}`,
  ];
}

// What cannot be trained must show when a task is deployed, not in the middle of its first round.
async function tryOneStep(model: TfjsModel, engine: EngineName): Promise<void> {
  const { inputs, outputs, output } = model.definition;
  const rows = 2;
  const x = new Float32Array(rows * inputs).fill(0.5);
  const y = new Float32Array(rows * outputs).fill(1 / outputs);
  const params = model.params();
  try {
    if (output.kind === "classification") checkProbabilities(model.predict(x, rows), outputs);
    model.compile({ kind: "sgd", learningRate: 0.01 });
    await model.step(x, y, rows);
    model.release();
    model.load(params);
  } catch (cause) {
    model.dispose();
    if (cause instanceof HeadwaterError) throw cause;
    throw unsupported(`the topology cannot be trained on engine ${engine}: ${messageOf(cause)}`, cause);
  }
}

function checkProbabilities(predictions: Float32Array, classes: number): void {
  const sum = predictions.subarray(0, classes).reduce((total, value) => total + value, 0);
  // 10,000 classes, each rounded to float32, stay within this.
  if (Math.abs(sum - 1) <= 1e-3) return;
  throw unsupported(`outputs sum to ${sum}, expected 1: a classifier's last activation is softmax`);
}

function unsupported(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError("model-unsupported", message, { cause });
}
