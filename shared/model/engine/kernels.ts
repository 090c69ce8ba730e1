// The kernels as a port: what the fused engine is made of, whoever computes it (WebAssembly, or plain JavaScript).
// All numbers lie in one memory; pointers and strides are in bytes, multiples of 4. Kernels read whole vectors, so a
// memory ends with `READ_AHEAD_BYTES` that belong to nobody. Its first 256 bytes are zeros and stay so.

import type { twinKernels } from "./twin/twin.js";

/** What a tile may read behind its operands. */
export const READ_AHEAD_BYTES = 256;
/** At address 0: an addend of nothing. */
const ZERO_BYTES = 256;
/** Constants of the kernels and their table of loops lie behind the zeros; what is free begins here. */
export const RESERVED_BYTES = ZERO_BYTES + 1792;

/** Activations whose derivative follows from their output; assembly/activation.ts has the same numbers. */
export const activationKinds = {
  linear: 0,
  relu: 1,
  sigmoid: 2,
  tanh: 3,
  elu: 4,
  selu: 5,
  relu6: 6,
  hardSigmoid: 7,
  softplus: 8,
  softsign: 9,
  leakyRelu: 10,
} as const;

/** Losses of single outputs; assembly/loss.ts has the same numbers. */
export const elementLossKinds = {
  meanSquaredError: 0,
  meanAbsoluteError: 1,
  huber: 2,
  binaryCrossentropy: 3,
} as const;

/** Every kernel by name: what the twin has, and `assembly/index.ts` exports. */
export type Kernels = ReturnType<typeof twinKernels>;

/** Kernels over a memory of their own, all zeros. */
export interface KernelMemory {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
}

/** Makes a memory of at least `bytes`; throws HeadwaterError `out-of-memory`. */
export type CreateKernelMemory = (bytes: number) => KernelMemory;
