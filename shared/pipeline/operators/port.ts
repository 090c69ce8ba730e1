// What an operator is. One file per operator, one line in the registry; the pipeline knows none of them by name.

import type { z } from "zod";
import type { Counters } from "../../counters.js";
import type { Saved, Stateful } from "../state.js";
import type { PipelineRow } from "../types.js";

/** One field of a row: a number (length 1) or a vector of `length` numbers. */
export interface Field {
  readonly name: string;
  readonly length: number;
  /** Samples a second, where the elements are a signal's and the rate is known. */
  readonly rateHz?: number;
}

/** What an operator gets to work on, known before any row arrives. */
export interface Input {
  readonly fields: readonly Field[];
  /** Event time between rows when they lie on a grid, undefined when they come as they come. */
  readonly spacingMs: number | undefined;
}

/** What one entity's instance costs. */
export interface Cost {
  readonly stateBytes: number;
  /** Event time, and rows, until the first output. Both must have passed. */
  readonly warmUpMs: number;
  readonly warmUpRows: number;
  /** Event time that one output may depend on, where that is not `warmUpMs`: values that are held, means that fade. */
  readonly reachMs?: number;
}

/** How an author writes an operator: printed in the docs, and what its contract is tested with. */
export interface OperatorExample {
  readonly params: unknown;
  /** Lengths of the fields it reads that are vectors. */
  readonly vectors?: Readonly<Record<string, number>>;
}

/**
 * Rows in, rows out. `params` is parsed by the operator's own schema before any other member sees it.
 * Members that read parameters throw `OperatorError` when parameters and input do not fit.
 */
export interface StepOperator<Params = unknown> {
  readonly name: string;
  /** One sentence for people, shown in the JSON Schema and the docs. */
  readonly doc: string;
  readonly example: OperatorExample;
  /** Its other ways, each held to the same contract. */
  readonly moreExamples?: readonly OperatorExample[];
  readonly params: z.ZodType<Params>;
  /** The input fields needed for an output that has (at least) the fields `wanted`. */
  reads(params: Params, wanted: readonly string[]): readonly string[];
  /** What comes out. */
  output(params: Params, input: Input): Input;
  /** A fresh instance for one entity. */
  create(params: Params, input: Input, context: StepContext): StepInstance;
  cost(params: Params, input: Input): Cost;
}

/** What an instance may use of the world. */
export interface StepContext {
  readonly counters: Counters;
  /** Takes each finished row, in strictly rising event time. */
  emit(row: PipelineRow): void;
}

/** One operator at work on one entity. Rows are pushed in strictly rising event time. */
export interface StepInstance extends Stateful {
  push(row: PipelineRow): void;
  /**
   * No row before `watermarkMs` will be pushed any more: emits what that completes. Returns the same promise about
   * the instance's own output.
   */
  advance(watermarkMs: number): number;
  /** The watermark from which `advance` has something to emit; Infinity when nothing waits. */
  dueMs(): number;
  /** The data has ended: emits what is open, invents nothing. */
  flush(): void;
}

/** A row in, columns of the model's input out. */
export interface FeatureOperator<Params = unknown> {
  readonly name: string;
  /** One sentence for people, shown in the JSON Schema and the docs. */
  readonly doc: string;
  readonly example: OperatorExample;
  /** Its other ways, each held to the same contract. */
  readonly moreExamples?: readonly OperatorExample[];
  readonly params: z.ZodType<Params>;
  /** Once warm, its columns have a value in every row: `missing: mask` needs no indicators for them. */
  readonly neverMissing?: true;
  /** The input fields needed. */
  reads(params: Params): readonly string[];
  /** Names of the columns, in order; may be none. Throws `OperatorError` when parameters and input do not fit. */
  columns(params: Params, input: Input): readonly string[];
  /** A fresh instance for one entity. */
  create(params: Params, input: Input, counters: Counters): FeatureComputer;
  cost(params: Params, input: Input): Cost;
}

/** Why a row has no features yet, or `complete`. */
export type FeatureState = "complete" | "warming-up" | "missing" | "unobserved";

/** One feature operator at work on one entity. */
export interface FeatureComputer extends Stateful {
  /**
   * Sees every row in rising event time and writes its columns from `out[offset]` on: all of them when it answers
   * `complete`, and those it has when it answers `missing`, with NaN for the others.
   */
  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState;
}

/** A step that looks at one row at a time: it remembers nothing and holds nothing back. */
export abstract class RowStep implements StepInstance {
  abstract push(row: PipelineRow): void;

  advance(watermarkMs: number): number {
    return watermarkMs;
  }

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  flush(): void {}

  save(): Saved {
    return null;
  }

  restore(_saved: Saved): void {}
}

/** A computer that looks at one row at a time: it remembers nothing. */
export abstract class RowComputer implements FeatureComputer {
  abstract push(row: PipelineRow, out: Float32Array, offset: number): FeatureState;

  save(): Saved {
    return null;
  }

  restore(): void {}
}

/** Parameters that do not fit the input: the author's fault. `path` leads from the parameters to the culprit. */
export class OperatorError extends Error {
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = "OperatorError";
    this.path = path;
  }
}

/** The cost of an operator that remembers nothing. */
export const FREE: Cost = { stateBytes: 0, warmUpMs: 0, warmUpRows: 0 };

/** Most rows one instance remembers per entity, whatever its window of time: beyond, the oldest go and are counted. */
export const MAX_HISTORY_ROWS = 131_072;

/** Rows remembered for a span of event time; without a grid, one row a second is assumed. */
export function rowsIn(spanMs: number, { spacingMs }: Input): number {
  return Math.min(MAX_HISTORY_ROWS, Math.ceil(spanMs / (spacingMs ?? 1_000)) + 1);
}
