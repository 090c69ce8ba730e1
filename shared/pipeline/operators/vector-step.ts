// What makes another block of each block: in its place, or beside it under a name of its own.

import { z } from "zod";
import type { Saved, Stateful } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads, fieldName, fieldNames } from "./fields.js";
import {
  type Field,
  type Input,
  OperatorError,
  type OperatorExample,
  RowStep,
  type StepContext,
  type StepOperator,
} from "./port.js";
import { pathOf, vectorPosition } from "./vectors.js";

/** One vector's way through an operator. */
export interface BlockTransform extends Stateful {
  /** Another block, the caller's to keep. `block` is not changed. */
  run(block: Float32Array, timeMs: number): Float32Array;
}

/** Parameters that all of these have. */
export const vectorParams = {
  of: fieldNames,
  as: z
    .union([fieldName, z.array(fieldName).min(1).max(1024)])
    .transform((value) => (typeof value === "string" ? [value] : value))
    .optional()
    .describe("New fields, one for each of `of`. Default: in their place."),
};

interface VectorParams {
  readonly of: readonly string[];
  readonly as?: readonly string[] | undefined;
}

/** Blocks from blocks, each vector by itself. */
export interface VectorOperator<Params extends VectorParams> {
  readonly name: string;
  readonly doc: string;
  readonly example: OperatorExample;
  readonly params: z.ZodType<Params>;
  /** What a vector becomes. Throws `OperatorError` when the parameters do not fit it. */
  output(params: Params, field: Field): Omit<Field, "name">;
  create(params: Params, field: Field, context: StepContext): BlockTransform;
  stateBytes(params: Params): number;
}

/** The operator in a chain of steps. */
export function vectorStep<Params extends VectorParams>(
  operator: VectorOperator<Params>,
): StepOperator<Params> {
  const { name, doc, example, params } = operator;
  return {
    ...{ name, doc, example, params },
    reads: ({ of, as = [] }, wanted) =>
      alsoReads(
        wanted.filter((name) => !as.includes(name)),
        of,
      ),
    output(params, input) {
      const fields = [...input.fields];
      for (const { from, to, name } of placesOf(params, input))
        fields[to] = { ...operator.output(params, input.fields[from]!), name };
      return { ...input, fields };
    },
    create(params, input, context) {
      const ways = placesOf(params, input).map(({ from, to }) => ({
        ...{ from, to },
        transform: operator.create(params, input.fields[from]!, context),
      }));
      return new VectorStep(ways, context);
    },
    cost: (params) => ({
      stateBytes: params.of.length * operator.stateBytes(params),
      warmUpMs: 0,
      warmUpRows: 0,
    }),
  };
}

/** A transform that remembers nothing. */
export abstract class MemorylessTransform implements BlockTransform {
  abstract run(block: Float32Array, timeMs: number): Float32Array;

  save(): Saved {
    return null;
  }

  restore(): void {}
}

interface Place {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

function placesOf({ of, as }: VectorParams, input: Input): readonly Place[] {
  if (as !== undefined) checkNames(of, as, input);
  return of.map((source, i) => {
    const from = vectorPosition(input, source, pathOf(of, i));
    return as === undefined
      ? { from, to: from, name: source }
      : { from, to: input.fields.length + i, name: as[i]! };
  });
}

function checkNames(of: readonly string[], as: readonly string[], { fields }: Input): void {
  if (as.length !== of.length) {
    throw new OperatorError(["as"], `expected a name for each of the ${of.length} vectors, not ${as.length}`);
  }
  const double = as.find((name, i) => as.indexOf(name) < i || fields.some((field) => field.name === name));
  if (double !== undefined) throw new OperatorError(["as"], `field "${double}" is made twice`);
}

interface Way {
  readonly from: number;
  readonly to: number;
  readonly transform: BlockTransform;
}

class VectorStep extends RowStep {
  readonly #ways: readonly Way[];
  readonly #context: StepContext;

  constructor(ways: readonly Way[], context: StepContext) {
    super();
    this.#ways = ways;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    const values: Value[] = [...row.values];
    const filled = row.filled === undefined ? undefined : [...row.filled];
    for (const { from, to, transform } of this.#ways) {
      const block = row.values[from]!;
      values[to] = block instanceof Float32Array ? transform.run(block, row.timeMs) : null;
      if (filled !== undefined) filled[to] = filled[from]!;
    }
    this.#context.emit({ ...row, values, filled });
  }

  override save(): Saved {
    return this.#ways.map(({ transform }) => transform.save());
  }

  override restore(saved: Saved): void {
    const states = saved as readonly Saved[]; // as `save` made it
    this.#ways.forEach(({ transform }, i) => {
      transform.restore(states[i]);
    });
  }
}
