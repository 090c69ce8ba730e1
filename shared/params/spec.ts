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

/** Lays tensors out one after the other, without gaps. */
export function createParamSpec(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): ParamSpec {
  const entries: ParamEntry[] = [];
  let count = 0;
  for (const { name, shape } of tensors) {
    const size = shape.reduce((product, length) => product * length, 1);
    entries.push({ name, shape, offset: count, size });
    count += size;
  }
  const text = JSON.stringify(entries.map(({ name, shape }) => [name, shape]));
  return { entries, count, fingerprint: createHash("sha256").update(text).digest("hex") };
}
