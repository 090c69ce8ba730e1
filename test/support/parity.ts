// One model on two engines: the fused one, and tfjs on its cpu backend, which sums in float64 and is taken for the truth.

import { defineModel } from "../../shared/model/define.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import { FusedModel } from "../../shared/model/engine/fused-model.js";
import { planModel } from "../../shared/model/engine/plan.js";
import { createWasmMemory } from "../../shared/model/engine/wasm.js";
import type { LossName } from "../../shared/model/loss.js";
import type { Model } from "../../shared/model/runtime.js";
import type { TfjsRuntime } from "../../shared/model/tfjs.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { type Random, randomStream } from "../../shared/random.js";
import type { JsonObject } from "../../shared/task/task.js";

/** A layer as a topology has it. */
export function layer(className: string, config: JsonObject = {}): JsonObject {
  return { class_name: className, config: { name: `${className}_${counter.next++}`, ...config } };
}

const counter = { next: 1 };

/** A sequential model over rows of `shape`. */
export function sequential(shape: readonly number[], ...layers: readonly JsonObject[]): JsonObject {
  const input = layer("InputLayer", { batch_input_shape: [null, ...shape], dtype: "float32", sparse: false });
  return { class_name: "Sequential", config: { name: "parity", layers: [input, ...layers] } };
}

/** What is compared. */
export interface ParityCase {
  readonly topology: JsonObject;
  readonly inputs: number;
  readonly outputs: number;
  readonly loss: LossName;
  /** Fills x; default: standard normal draws. */
  readonly draw?: (random: Random) => number;
}

/** A case on both engines, with params and examples. */
export interface Pair {
  readonly fused: Model;
  readonly tfjs: Model;
  readonly params: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly rows: number;
}

/** The definition of a case. */
export function definitionOf({ topology, inputs, outputs }: ParityCase): ModelDefinition {
  const output = { kind: "regression", loss: "meanSquaredError" } as const;
  return { ...defineModel({ kind: "layers", topology, output }, inputs), outputs };
}

/** Builds both engines. Params are drawn, not initialised: zeros would hide a bias. */
export async function pair(
  runtime: TfjsRuntime,
  given: ParityCase,
  rows = 6,
  seed = "parity",
): Promise<Pair> {
  const definition = definitionOf(given);
  const planned = planModel(definition);
  if (!planned.ok) throw new Error(planned.reasons.join("\n"));
  const initialParams = () => Promise.reject(new Error("not asked for"));
  const parts = { definition, plan: planned.plan, engine: "fused-wasm", initialParams } as const;
  const fused = new FusedModel({ ...parts, create: createWasmMemory, loss: given.loss });
  const tfjs = await runtime.model(definition, { loss: given.loss });
  const random = randomStream(seed, "parity");
  const params = drawParams(tfjs.spec, random);
  const { x, y } = drawExamples(given, rows, random);
  fused.load(params);
  tfjs.load(params);
  return { fused, tfjs, params, x, y, rows };
}

/** Examples of a case. */
export function drawExamples(given: ParityCase, rows: number, random: Random) {
  const draw = given.draw ?? ((from) => from.normal());
  const x = Float32Array.from({ length: rows * given.inputs }, () => draw(random));
  return { x, y: drawTruth(given, rows, random) };
}

/** Params of about the size that training gives; variances are positive. */
export function drawParams(spec: ParamSpec, random: Random): Float32Array {
  const params = new Float32Array(spec.count);
  for (const { name, offset, size, shape } of spec.entries) {
    const fan = shape.length > 1 ? size / shape.at(-1)! : 4;
    for (let i = 0; i < size; i++) {
      const value = random.normal() / Math.sqrt(fan);
      params[offset + i] = name.endsWith("variance") ? 0.5 + Math.abs(value) : value;
    }
  }
  return params;
}

function drawTruth({ loss, outputs }: ParityCase, rows: number, random: Random): Float32Array {
  switch (loss) {
    case "binaryCrossentropy":
      return Float32Array.from({ length: rows * outputs }, () => random.integer(2));
    case "sparseCategoricalCrossentropy":
      return Float32Array.from({ length: rows }, () => random.integer(outputs));
    case "categoricalCrossentropy": {
      const y = new Float32Array(rows * outputs);
      for (let row = 0; row < rows; row++) y[row * outputs + random.integer(outputs)] = 1;
      return y;
    }
    default:
      return Float32Array.from({ length: rows * outputs }, () => 2 * random.normal());
  }
}

/** The largest difference between two arrays, over the largest magnitude of the second. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    magnitude = Math.max(magnitude, Math.abs(b[i]!));
  }
  return magnitude === 0 ? difference : difference / magnitude;
}

/** As `relativeDifference` tensor by tensor: the largest, and whose it is. */
export function worstTensor(
  model: Model,
  a: Float32Array,
  b: Float32Array,
): { name: string; difference: number } {
  let worst = { name: "", difference: 0 };
  for (const { name, offset, size } of model.spec.entries) {
    const part = (of: Float32Array) => of.subarray(offset, offset + size);
    const difference = relativeDifference(part(a), part(b));
    if (!(difference <= worst.difference)) worst = { name, difference };
  }
  return worst;
}
