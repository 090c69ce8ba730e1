// A faster matrix product for the wasm backend, out of the backend's own kernels.

import type { KernelBackend, KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import { assert } from "../assert.js";
import type { Tfjs } from "./tfjs-engine.js";

/**
 * Replaces the wasm backend's BatchMatMul for plain matrices, which all dense layers use; doing so again changes
 * nothing. The backend computes with XNNPACK only when neither operand is transposed; every gradient has a
 * transposed one and falls back to a plain loop, 10-20 times slower. And XNNPACK repacks its right operand, the
 * weights, after each update, which costs more than the product itself when a batch is small. So operands are
 * transposed beforehand, and a large right operand changes sides: a b = (b' a')'.
 */
export function speedUpWasmMatMul(tf: Tfjs): void {
  const matMul = tf.getKernel("BatchMatMul", "wasm");
  const transpose = tf.getKernel("Transpose", "wasm");
  assert(matMul !== undefined && transpose !== undefined, "the wasm backend multiplies and transposes");
  if (ours.has(matMul)) return;
  const kernels: Kernels = { matMul: matMul.kernelFunc, transpose: transpose.kernelFunc };
  // The rest of the registration stays: the backend runs its setup when it starts.
  const faster: KernelConfig = { ...matMul, kernelFunc: (args) => product(kernels, args) };
  ours.add(faster);
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel(faster);
}

const ours = new WeakSet<KernelConfig>();

/** From this many elements more than the left one, moving the right operand pays for three transpositions. */
const MOVE_ELEMENTS = 4096;

interface Kernels {
  readonly matMul: KernelConfig["kernelFunc"];
  readonly transpose: KernelConfig["kernelFunc"];
}

type KernelArgs = Parameters<KernelConfig["kernelFunc"]>[0];

/** A matrix as given, and whether its transpose is meant. */
interface Operand {
  readonly matrix: TensorInfo;
  readonly isFlipped: boolean;
}

function product(kernels: Kernels, args: KernelArgs): TensorInfo | TensorInfo[] {
  const { a, b } = args.inputs;
  if (a?.shape.length !== 2 || b?.shape.length !== 2) return kernels.matMul(args);
  const backend = args.backend as KernelBackend;
  const left = { matrix: a, isFlipped: args.attrs?.transposeA === true };
  const right = { matrix: b, isFlipped: args.attrs?.transposeB === true };
  if (size(b) - size(a) <= MOVE_ELEMENTS) return multiply(kernels, backend, left, right);
  const moved = multiply(kernels, backend, flipped(right), flipped(left));
  const result = flip(kernels, backend, moved);
  backend.disposeData(moved.dataId);
  return result;
}

function multiply(kernels: Kernels, backend: KernelBackend, left: Operand, right: Operand): TensorInfo {
  const a = left.isFlipped ? flip(kernels, backend, left.matrix) : left.matrix;
  const b = right.isFlipped ? flip(kernels, backend, right.matrix) : right.matrix;
  const attrs = { transposeA: false, transposeB: false };
  const result = single(kernels.matMul({ inputs: { a, b }, backend, attrs }));
  if (left.isFlipped) backend.disposeData(a.dataId);
  if (right.isFlipped) backend.disposeData(b.dataId);
  return result;
}

function flip(kernels: Kernels, backend: KernelBackend, x: TensorInfo): TensorInfo {
  return single(kernels.transpose({ inputs: { x }, backend, attrs: { perm: [1, 0] } }));
}

function flipped({ matrix, isFlipped }: Operand): Operand {
  return { matrix, isFlipped: !isFlipped };
}

function size({ shape }: TensorInfo): number {
  return shape.reduce((elements, length) => elements * length, 1);
}

function single(result: TensorInfo | TensorInfo[]): TensorInfo {
  assert(!Array.isArray(result), "a matrix kernel has one result");
  return result;
}
