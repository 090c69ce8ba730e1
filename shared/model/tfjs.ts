// The model runtime on TensorFlow.js. Only this file and its `tfjs-*` neighbours know tensors.

import type { LayersModel } from "@tensorflow/tfjs";
import { HeadwaterError, messageOf } from "../error.js";
import type { JsonObject } from "../task/task.js";
import { BuiltModels } from "./built-models.js";
import type { ModelDefinition } from "./definition.js";
import type { LossName } from "./loss.js";
import { checkProbabilities } from "./probabilities.js";
import type { EngineRefusal, Model, ModelRuntime } from "./runtime.js";
import { startEngine, type Tfjs, type TfjsEngineName } from "./tfjs-engine.js";
import { addMissingWasmKernels } from "./tfjs-kernels.js";
import { speedUpWasmMatMul } from "./tfjs-matmul.js";
import { flatten, paramSpecOf, TfjsModel } from "./tfjs-model.js";
import { findUnsupported, seedTopology } from "./topology.js";

/**
 * A runtime on `engine`. tfjs has one backend per thread: while a runtime lives, others of its thread must be of
 * the same engine. Rejects with HeadwaterError `engine-unavailable`.
 */
export async function createTfjsRuntime(engine: TfjsEngineName): Promise<TfjsRuntime> {
  claimThread(engine);
  try {
    const tf = await startEngine(engine);
    if (engine === "tfjs-wasm") {
      speedUpWasmMatMul(tf);
      addMissingWasmKernels(tf);
    }
    return new Runtime(engine, tf);
  } catch (error) {
    leaveThread();
    throw error;
  }
}

/** The runtime of tfjs, and what others need of it. */
export interface TfjsRuntime extends ModelRuntime {
  readonly engine: TfjsEngineName;
  /** As `ModelRuntime.model`; `extras` go into the model when it is built. */
  model(definition: ModelDefinition, extras?: ModelExtras): Promise<Model>;
  /** First params of a topology, even of one that tfjs cannot train. Rejects with `model-unsupported`. */
  drawInitialParams(definition: ModelDefinition, seed: string): Promise<Float32Array>;
}

/** What may be said of a model beyond its definition. */
export interface ModelExtras {
  readonly refusals?: readonly EngineRefusal[];
  readonly loss?: LossName;
}

// Module state mirrors tfjs's own: a worker thread has its own copy of both.
const thread: { engine: TfjsEngineName | undefined; runtimes: number } = { engine: undefined, runtimes: 0 };

function claimThread(engine: TfjsEngineName): void {
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

class Runtime implements TfjsRuntime {
  readonly engine: TfjsEngineName;
  readonly #tf: Tfjs;
  readonly #models = new BuiltModels();

  constructor(engine: TfjsEngineName, tf: Tfjs) {
    this.engine = engine;
    this.#tf = tf;
  }

  model(definition: ModelDefinition, extras: ModelExtras = {}): Promise<Model> {
    const key = [definition.topologyHash, extras.loss].join(" ");
    return this.#models.get(key, () => this.#build(definition, extras));
  }

  async drawInitialParams(definition: ModelDefinition, seed: string): Promise<Float32Array> {
    const layers = await buildLayers(this.#tf, definition.topology);
    const complete = completeTopology(layers);
    layers.dispose();
    return drawParams(this.#tf, seedTopology(complete, seed));
  }

  liveTensors(): number {
    return this.#tf.memory().numTensors;
  }

  dispose(): void {
    if (this.#models.dispose()) leaveThread();
  }

  async #build(definition: ModelDefinition, extras: ModelExtras): Promise<TfjsModel> {
    const problems = findUnsupported(definition.topology);
    if (problems.length > 0) throw unsupported(problems.join("\n"));
    const layers = await buildLayers(this.#tf, definition.topology);
    const complete = completeTopology(layers);
    const initialParams = (seed: string) => drawParams(this.#tf, seedTopology(complete, seed));
    checkWidths(layers, definition);
    const model = new TfjsModel({
      ...{ tf: this.#tf, engine: this.engine, definition, layers, initialParams },
      ...extras,
    });
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

// Written out by tfjs, every initializer is there in full, defaults included, and can be given its seed.
function completeTopology(layers: LayersModel): JsonObject {
  return JSON.parse(String(layers.toJSON(null, true)));
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
async function tryOneStep(model: TfjsModel, engine: TfjsEngineName): Promise<void> {
  const { inputs, outputs } = model.definition;
  const rows = 2;
  const x = new Float32Array(rows * inputs).fill(0.5);
  const y = new Float32Array(rows * model.truthWidth).fill(1 / outputs);
  const params = model.params();
  try {
    checkProbabilities(model);
    model.compile({ optimizer: { kind: "sgd", learningRate: 0.01 } });
    await model.step(x, y, rows);
    model.release();
    model.load(params);
  } catch (cause) {
    model.dispose();
    if (cause instanceof HeadwaterError) throw cause;
    throw unsupported(`the topology cannot be trained on engine ${engine}: ${messageOf(cause)}`, cause);
  }
}

function unsupported(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError("model-unsupported", message, { cause });
}
