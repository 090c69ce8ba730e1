// Optimizers over a program's flat params: which state they keep, and one call per step.

import { unreachable } from "../../assert.js";
import type { ClipSpec, OptimizerSpec } from "../../task/task.js";
import type { Program } from "./program.js";

/** tfjs's backend epsilon. */
const EPSILON = 1e-7;
/** tfjs `adagrad`: where the sums of squares start. */
const ADAGRAD_START = 0.1;
const BETA1 = 0.9;
const BETA2 = 0.999;

/** State of an optimizer: params-sized arrays, and numbers beside them. */
export interface OptimizerState {
  readonly spec: OptimizerSpec;
  /** Adam: the running products of beta 1 and beta 2, float32 as tfjs keeps them. */
  beta1: number;
  beta2: number;
}

/** A fresh state; `startSlots` prepares the arrays. */
export function freshState(spec: OptimizerSpec): OptimizerState {
  return { spec, beta1: Math.fround(BETA1), beta2: Math.fround(BETA2) };
}

/** Params-sized arrays that an optimizer keeps. */
export function slotsOf({ kind }: OptimizerSpec): number {
  switch (kind) {
    case "sgd":
      return 0;
    case "momentum":
    case "rmsprop":
    case "adagrad":
      return 1;
    case "adam":
      return 2;
    default:
      return unreachable(kind);
  }
}

/** The arrays as they are before the first step. */
export function startSlots({ kind }: OptimizerSpec, slots: Float32Array): void {
  slots.fill(kind === "adagrad" ? ADAGRAD_START : 0);
}

/** One step by the program's gradient over its first `count` params. */
export function applyGradient(
  { kernels, places }: Program,
  state: OptimizerState,
  count: number,
  slot: number,
): void {
  const { params, gradient, slots } = places;
  const { spec } = state;
  const rate = spec.learningRate;
  switch (spec.kind) {
    case "sgd":
      kernels.sgd(params, gradient, count, -rate);
      return;
    case "momentum":
      kernels.momentum(params, gradient, slots, count, -rate, spec.momentum, spec.nesterov ? 1 : 0);
      return;
    case "rmsprop":
      kernels.rmsprop(params, gradient, slots, count, rate, spec.decay, 1 - spec.decay, EPSILON);
      return;
    case "adagrad":
      kernels.adagrad(params, gradient, slots, count, -rate, EPSILON);
      return;
    case "adam": {
      // tfjs divides by 1 - beta^t in float32.
      const scale1 = 1 / Math.fround(1 - state.beta1);
      const scale2 = 1 / Math.fround(1 - state.beta2);
      const second = slots + slot;
      kernels.adam(
        ...([params, gradient, slots, second, count] as const),
        ...([-rate, BETA1, 1 - BETA1, BETA2, 1 - BETA2, scale1, scale2, EPSILON] as const),
      );
      state.beta1 = Math.fround(state.beta1 * Math.fround(BETA1));
      state.beta2 = Math.fround(state.beta2 * Math.fround(BETA2));
      return;
    }
    default:
      unreachable(spec);
  }
}

/** Bounds the program's gradient. */
export function clipGradient(
  { kernels, places: { gradient } }: Program,
  clip: ClipSpec,
  count: number,
): void {
  if (clip.kind === "value") {
    kernels.clamp(gradient, count, clip.max);
    return;
  }
  const norm = Math.sqrt(kernels.squaredNorm(gradient, count));
  if (norm > clip.max) kernels.scale(gradient, count, clip.max / norm);
}
