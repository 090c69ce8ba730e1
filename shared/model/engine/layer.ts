// What a kind of layer is to the engine: it checks its options, says its shapes and params, and writes its code.

import type { Config, Regularizer } from "./config.js";
import type { Kernels } from "./kernels.js";

/** Lengths of the axes of one row, without the batch. */
export type Shape = readonly number[];

/** One tensor of params. */
export interface ParamPlan {
  /** As tfjs names it, without the layer. */
  readonly name: string;
  readonly shape: Shape;
  readonly trainable: boolean;
  readonly regularizer: Regularizer;
}

/** Where a layer works. All places are byte addresses; what a layer may write: y, dx, dy, and what it allocates. */
export interface Site {
  readonly kernels: Kernels;
  /** Rows the program is made for: buffers have room for as many. */
  readonly capacity: number;
  readonly isTraining: boolean;
  /** Of the layer among its like, from 1: streams of two layers differ. */
  readonly place: number;
  readonly x: readonly number[];
  readonly y: number;
  /** Gradient by each input; 0 where nobody wants it: then it is not written. */
  readonly dx: readonly number[];
  /** Gradient by the output; complete when `backward` runs, and the layer's to overwrite. */
  readonly dy: number;
  /** In the order of the layer's params. */
  readonly params: readonly number[];
  /** As `params`; overwritten by `backward`; 0 when inference only, or for a param that is not trainable. */
  readonly gradients: readonly number[];
  /** `floats` zeros of the layer's own. */
  allocate(floats: number): number;
}

/** A step of a program. `rows` is at most the capacity. */
export interface LayerCode {
  /** Fills y. `pass.isTraining`: dropout drops, statistics are those of the batch. */
  forward(rows: number, pass: Pass): void;
  /** Fills gradients and dx from dy and what `forward` left. */
  backward(rows: number, pass: Pass): void;
}

/** One run of a program, forward or both ways. */
export interface Pass {
  isTraining: boolean;
  /** Of dropout: 32-bit numbers. */
  seed: number;
  step: number;
}

/** A layer whose options have been understood. */
export interface LayerPlan {
  readonly output: Shape;
  readonly params: readonly ParamPlan[];
  emit(site: Site): LayerCode;
}

/** A kind of layer: reads every option of `config` (which checks that afterwards); throws Unsupported. */
export type LayerKind = (config: Config, inputs: readonly Shape[]) => LayerPlan;

/** The only input of a layer that has one. */
export function single(inputs: readonly Shape[]): Shape {
  if (inputs.length !== 1) throw new Error("the layer has one input");
  return inputs[0]!;
}
