// A plan in a memory: every buffer has its address, every layer its code. A program has room for so many rows.

import { unreachable } from "../../assert.js";
import { HeadwaterError } from "../../error.js";
import { sizeOf } from "../../params/spec.js";
import type { LossName } from "../loss.js";
import {
  type CreateKernelMemory,
  elementLossKinds,
  type KernelMemory,
  type Kernels,
  READ_AHEAD_BYTES,
  RESERVED_BYTES,
} from "./kernels.js";
import type { LayerCode, Pass } from "./layer.js";
import type { ModelPlan } from "./plan.js";

/** What a program is made for. */
export interface ProgramOptions {
  readonly capacity: number;
  /** Without, there are no gradients and only `forward` works. */
  readonly isTraining: boolean;
  readonly loss: LossName;
  /** Copies of the params that the optimizer keeps. */
  readonly slots: number;
}

/** Addresses (bytes) of what its user reads and writes. */
export interface ProgramPlaces {
  readonly x: number;
  readonly y: number;
  /** The truth: rows x outputs, or class indices for sparse cross-entropy. */
  readonly truth: number;
  readonly params: number;
  readonly gradient: number;
  /** Of the optimizer: params-sized arrays one after the other. */
  readonly slots: number;
  /** Another params-sized array: anchors and corrections. */
  readonly spare: number;
}

/** A program, bound to its memory. */
export class Program {
  readonly options: ProgramOptions;
  readonly places: ProgramPlaces;
  readonly kernels: Kernels;
  readonly floats: Float32Array;
  readonly #plan: ModelPlan;
  readonly #codes: readonly LayerCode[];
  readonly #backward: readonly ((rows: number, pass: Pass) => void)[];
  readonly #outputGradient: number;
  readonly #oneHot: number;

  /** Throws HeadwaterError `out-of-memory`. */
  constructor(plan: ModelPlan, options: ProgramOptions, create: CreateKernelMemory) {
    const measured = layOut(plan, options, undefined);
    const memory = createNaming(plan, options, () => create(measured.bytes + READ_AHEAD_BYTES));
    const { places, codes, backward, outputGradient, oneHot } = layOut(plan, options, memory);
    this.options = options;
    this.places = places;
    this.kernels = memory.kernels;
    this.floats = new Float32Array(memory.buffer);
    this.#plan = plan;
    this.#codes = codes;
    this.#backward = backward;
    this.#outputGradient = outputGradient;
    this.#oneHot = oneHot;
  }

  /** Outputs of the first `rows` rows of x. */
  forward(rows: number, pass: Pass): void {
    for (const code of this.#codes) code.forward(rows, pass);
  }

  /** Forward, loss and gradient: the mean loss over `rows` rows, regularizers included. */
  learn(rows: number, pass: Pass): number {
    this.forward(rows, pass);
    let loss = this.#outputLoss(rows, this.#outputGradient);
    for (const back of this.#backward) back(rows, pass);
    const { params, gradient } = this.places;
    for (const { entry, regularizer } of this.#plan.regularizers) {
      const { offset, size } = this.#plan.spec.entries[entry]!;
      const isTrained = offset < this.#plan.trainable;
      const into = isTrained ? gradient + offset * 4 : 0;
      loss += this.kernels.regularize(params + offset * 4, into, size, regularizer.l1, regularizer.l2);
    }
    return loss;
  }

  #outputLoss(rows: number, gradient: number): number {
    const { kernels, places } = this;
    const { y, truth } = places;
    const { loss } = this.options;
    const columns = this.#plan.outputShape.at(-1) ?? 1;
    const lines = rows * (sizeOf(this.#plan.outputShape) / columns);
    switch (loss) {
      case "meanSquaredError":
      case "meanAbsoluteError":
      case "huber":
      case "binaryCrossentropy":
        return kernels.elementLoss(elementLossKinds[loss], y, truth, gradient, lines * columns);
      case "sparseCategoricalCrossentropy":
        kernels.oneHot(truth, this.#oneHot, lines, columns);
        return kernels.categoricalLoss(y, this.#oneHot, gradient, lines, columns);
      case "categoricalCrossentropy":
        return kernels.categoricalLoss(y, truth, gradient, lines, columns);
      default:
        return unreachable(loss);
    }
  }
}

// What is too large is said by name: the layer with the most values, and for how many rows.
function createNaming(
  plan: ModelPlan,
  { capacity }: ProgramOptions,
  create: () => KernelMemory,
): KernelMemory {
  try {
    return create();
  } catch (cause) {
    if (!(cause instanceof HeadwaterError)) throw cause;
    const largest = plan.layers.reduce((a, b) => (sizeOf(b.plan.output) > sizeOf(a.plan.output) ? b : a));
    const { name, className } = largest;
    const place = `layer ${JSON.stringify(name)} (${className}) gives [${largest.plan.output.join(", ")}] a row`;
    throw new HeadwaterError(cause.code, `${cause.message}; ${place}, for ${capacity} rows`, { cause });
  }
}

interface Layout {
  readonly bytes: number;
  readonly places: ProgramPlaces;
  readonly codes: readonly LayerCode[];
  readonly backward: readonly ((rows: number, pass: Pass) => void)[];
  readonly outputGradient: number;
  readonly oneHot: number;
}

/** Buffers start at multiples of this: a cache line. */
const ALIGN_BYTES = 64;

// Written once and run twice: without a memory it only measures.
function layOut(plan: ModelPlan, options: ProgramOptions, memory: KernelMemory | undefined): Layout {
  const { capacity, isTraining, slots } = options;
  let bytes = RESERVED_BYTES;
  const allocate = (floats: number): number => {
    const at = bytes;
    bytes += Math.ceil((floats * 4) / ALIGN_BYTES) * ALIGN_BYTES;
    return at;
  };
  const { count, entries } = plan.spec;
  const params = allocate(count);
  const gradient = isTraining ? allocate(count) : 0;
  const spare = isTraining ? allocate(count) : 0;
  const slotsAt = allocate(slots * count);
  const rowsOf = (layer: number) => allocate(capacity * sizeOf(plan.layers[layer]!.plan.output));
  const values = plan.layers.map((_, at) => rowsOf(at));
  const isWanted = (at: number) => isTraining && plan.layers[at]!.learns;
  const gradients = plan.layers.map((_, at) => (isWanted(at) ? rowsOf(at) : 0));
  // A value that several layers use has a gradient from each of them, summed before its own layer runs.
  const users = plan.layers.map((_, at) => usersOf(plan, at));
  const shares = plan.layers.map((_, at) =>
    isWanted(at) && users[at]!.length > 1 ? users[at]!.map(() => rowsOf(at)) : [],
  );
  const gradientFor = (user: number, slot: number, from: number) => {
    if (shares[from]!.length === 0) return gradients[from]!;
    return shares[from]![users[from]!.findIndex((use) => use.layer === user && use.slot === slot)]!;
  };
  const codes = plan.layers.map((layer, at) => {
    const places = layer.params.map((entry) => params + entries[entry]!.offset * 4);
    const wanted = layer.params.map((entry) =>
      isTraining && entries[entry]!.offset < plan.trainable ? gradient + entries[entry]!.offset * 4 : 0,
    );
    return layer.plan.emit({
      kernels: memory?.kernels ?? NO_KERNELS,
      capacity,
      isTraining,
      place: at + 1,
      x: layer.inputs.map((from) => values[from]!),
      y: values[at]!,
      dx: layer.inputs.map((from, slot) => (isWanted(from) ? gradientFor(at, slot, from) : 0)),
      dy: gradients[at]!,
      params: places,
      gradients: wanted,
      allocate,
    });
  });
  const backward = plan.layers
    .map((layer, at) => ({ layer, at }))
    .filter(({ at }) => isWanted(at))
    .toReversed()
    .map(({ layer, at }) => {
      const size = sizeOf(layer.plan.output);
      const code = codes[at]!;
      const [first = 0, ...more] = shares[at]!;
      return (rows: number, pass: Pass) => {
        if (more.length > 0) sumInto(memory!.kernels, gradients[at]!, first, more, rows * size);
        code.backward(rows, pass);
      };
    });
  const truth = isTraining ? rowsOf(plan.output) : 0;
  const oneHot = isTraining && options.loss === "sparseCategoricalCrossentropy" ? rowsOf(plan.output) : 0;
  const places = { x: values[0]!, y: values[plan.output]!, truth, params, gradient, slots: slotsAt, spare };
  return { bytes, places, codes, backward, outputGradient: gradients[plan.output]!, oneHot };
}

// Only addresses are asked of a program that is being measured.
const NO_KERNELS = {} as Kernels;

function usersOf(plan: ModelPlan, of: number): { readonly layer: number; readonly slot: number }[] {
  return plan.layers.flatMap(({ inputs }, layer) =>
    inputs.flatMap((from, slot) => (from === of ? [{ layer, slot }] : [])),
  );
}

function sumInto(kernels: Kernels, sum: number, first: number, more: readonly number[], count: number): void {
  more.forEach((share, at) => {
    kernels.add(at === 0 ? first : sum, share, sum, count);
  });
}
