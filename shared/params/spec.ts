// How a model's parameters lie in one flat Float32Array.

import { createHash } from "node:crypto";

/** One tensor's place in the flat array. */
export interface ParamEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element, in floats. */
  readonly offset: number;
  /** Product of `shape`. */
  readonly size: number;
}

/** Names, shapes and offsets of all params, in the order of tfjs `LayersModel.getWeights()`. */
export interface ParamSpec {
  readonly entries: readonly ParamEntry[];
  /** Floats in all. */
  readonly count: number;
  /** SHA-256 (hex) over names and shapes: params of another fingerprint are never mixed. */
  readonly fingerprint: string;
}

/** Elements of a tensor: the product of its axes; 1 without any. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Lays tensors out one after the other, without gaps. */
export function createParamSpec(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): ParamSpec {
  const entries: ParamEntry[] = [];
  let count = 0;
  for (const { name, shape } of tensors) {
    const size = sizeOf(shape);
    entries.push({ name, shape, offset: count, size });
    count += size;
  }
  const text = JSON.stringify(entries.map(({ name, shape }) => [name, shape]));
  return { entries, count, fingerprint: createHash("sha256").update(text).digest("hex") };
}
