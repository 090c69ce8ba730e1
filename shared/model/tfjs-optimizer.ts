// Optimizers of tfjs: made, saved, continued, freed.

import type { Optimizer, Tensor, Variable } from "@tensorflow/tfjs";
import { assert, unreachable } from "../assert.js";
import { HeadwaterError } from "../error.js";
import type { ParamEntry } from "../params/spec.js";
import type { OptimizerSpec } from "../task/task.js";
import type { Tfjs } from "./tfjs-engine.js";

/** A fresh optimizer. */
export function createOptimizer(tf: Tfjs, spec: OptimizerSpec): Optimizer {
  switch (spec.kind) {
    case "sgd":
      return tf.train.sgd(spec.learningRate);
    case "momentum":
      return tf.train.momentum(spec.learningRate, spec.momentum, spec.nesterov);
    case "adam":
      return tf.train.adam(spec.learningRate);
    case "rmsprop":
      return tf.train.rmsprop(spec.learningRate, spec.decay);
    case "adagrad":
      return tf.train.adagrad(spec.learningRate);
    default:
      return unreachable(spec);
  }
}

/** The optimizer's state: its steps, its running powers, then its tensors one after the other. */
export async function saveOptimizer(optimizer: Optimizer): Promise<Float32Array> {
  const [steps, ...slots] = (await optimizer.getWeights()).map(({ tensor }) => tensor);
  assert(steps !== undefined, "an optimizer counts its steps");
  const values = [steps, ...powersOf(optimizer), ...slots].map((tensor) => tensor.dataSync());
  steps.dispose();
  const flat = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of values) {
    flat.set(each, at);
    at += each.length;
  }
  return flat;
}

/** Continues from a saved state over the trained params `entries`. Throws HeadwaterError `data-invalid`. */
export async function restoreOptimizer(
  tf: Tfjs,
  { optimizer, kind }: { readonly optimizer: Optimizer; readonly kind: OptimizerSpec["kind"] },
  entries: readonly ParamEntry[],
  saved: Float32Array,
): Promise<void> {
  const powers = powersOf(optimizer);
  const head = 1 + powers.length;
  const count = entries.reduce((sum, { size }) => sum + size, 0);
  const slots = (saved.length - head) / count;
  // Without a step there are no tensors yet.
  if (slots !== SLOTS[kind] && slots !== 0)
    throw new HeadwaterError(
      "data-invalid",
      `optimizer state holds ${saved.length} values, ${kind} on this model has ${head + SLOTS[kind] * count}`,
    );
  const weights = [{ name: "iter", tensor: tf.scalar(saved[0]!, "int32") as Tensor }];
  let at = head;
  while (at < saved.length)
    for (const { name, size, shape } of entries) {
      weights.push({ name: `${name}/${at}`, tensor: tf.tensor(saved.slice(at, at + size), [...shape]) });
      at += size;
    }
  // tfjs makes variables of its own from what it is given, and forgets those it had.
  const before = await optimizer.getWeights();
  await optimizer.setWeights(weights);
  tf.dispose([...before, ...weights].map(({ tensor }) => tensor));
  // It also computes the powers anew from the steps, which rounds otherwise than the running products did.
  tf.tidy(() => {
    for (const [index, power] of powers.entries()) power.assign(tf.scalar(saved[1 + index]!));
  });
}

// Adam's beta 1 and beta 2 to the power of the next step: private in tfjs 4.22, and not among its weights.
function powersOf(optimizer: Optimizer): Variable[] {
  return ["accBeta1", "accBeta2"]
    .map((name): Variable | undefined => Reflect.get(optimizer, name))
    .filter((power) => power !== undefined);
}

/** Tensors per param that each keeps. */
const SLOTS: Readonly<Record<OptimizerSpec["kind"], number>> = {
  sgd: 0,
  momentum: 1,
  adam: 2,
  rmsprop: 2,
  adagrad: 1,
};

/** Frees an optimizer. */
export function disposeOptimizer(optimizer: Optimizer): void {
  optimizer.dispose();
  // Momentum extends SGD but, in tfjs 4.22, forgets SGD's own tensor, the learning rate.
  const rate: unknown = Reflect.get(optimizer, "c");
  if (isDisposable(rate) && !rate.isDisposed) rate.dispose();
}

function isDisposable(value: unknown): value is { isDisposed: boolean; dispose(): void } {
  return typeof value === "object" && value !== null && "isDisposed" in value && "dispose" in value;
}
