// Steps that judge the numbers of a field one by one, in their place.

import type { z } from "zod";
import type { Counters } from "../../counters.js";
import type { Saved, Stateful } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads, numberPositions } from "./fields.js";
import {
  type Cost,
  type Input,
  type OperatorExample,
  RowStep,
  type StepContext,
  type StepOperator,
} from "./port.js";

/** Judges the numbers of one field. */
export interface Judge extends Stateful {
  /** What `x` becomes: itself, another number, or NaN for missing. Not asked about missing values. */
  judge(timeMs: number, x: number): number;
}

interface CleanKind<Params> {
  readonly name: string;
  readonly doc: string;
  readonly example: OperatorExample;
  readonly params: z.ZodType<Params>;
  create(params: Params, counters: Counters): Judge;
  /** Of one field. */
  cost(params: Params, input: Input): Cost;
}

/** A step whose fields `of` are each judged on their own; all others pass. */
export function cleanStep<Params extends { readonly of: readonly string[] }>({
  name,
  doc,
  example,
  params,
  ...kind
}: CleanKind<Params>): StepOperator<Params> {
  return {
    name,
    doc,
    example,
    params,
    reads: ({ of }, wanted) => alsoReads(wanted, of),
    output({ of }, input) {
      numberPositions(of, input);
      return input;
    },
    create(params, input, context) {
      const positions = numberPositions(params.of, input);
      const judges = positions.map(() => kind.create(params, context.counters));
      return new Clean({ positions, judges, marksChanged: false }, context);
    },
    cost(params, input) {
      const { stateBytes, ...warmUp } = kind.cost(params, input);
      return { stateBytes: stateBytes * params.of.length, ...warmUp };
    },
  };
}

/** A judge that remembers nothing. */
export abstract class MemorylessJudge implements Judge {
  abstract judge(timeMs: number, x: number): number;

  save(): Saved {
    return null;
  }

  restore(_saved: Saved): void {}
}

interface CleanOptions {
  readonly positions: readonly number[];
  /** One per position. */
  readonly judges: readonly Judge[];
  /** What comes out differently was not measured: labels and `observed` refuse it. */
  readonly marksChanged: boolean;
}

/** Judges numbers as they come. */
export class Clean extends RowStep {
  readonly #positions: readonly number[];
  readonly #judges: readonly Judge[];
  readonly #marksChanged: boolean;
  readonly #context: StepContext;

  constructor({ positions, judges, marksChanged }: CleanOptions, context: StepContext) {
    super();
    this.#positions = positions;
    this.#judges = judges;
    this.#marksChanged = marksChanged;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    this.#context.emit(cleaned(row, this.#positions, this.#judge, this.#marksChanged));
  }

  override save(): Saved {
    return this.#judges.map((judge) => judge.save());
  }

  override restore(saved: Saved): void {
    const states = saved as readonly Saved[]; // as `save` made it
    this.#judges.forEach((judge, i) => {
      judge.restore(states[i]);
    });
  }

  readonly #judge: JudgeField = (field, x, { timeMs }) => this.#judges[field]!.judge(timeMs, x);
}

/** What the number `x` of the `field`-th judged field of `row` becomes: itself, another number, or NaN for missing. */
export type JudgeField = (field: number, x: number, row: PipelineRow) => number;

/** The row with its numbers at `positions` judged; most rows are sound, and pass as they are. */
export function cleaned(
  row: PipelineRow,
  positions: readonly number[],
  judge: JudgeField,
  marksChanged: boolean,
): PipelineRow {
  let values: Value[] | undefined;
  let { filled } = row;
  for (let field = 0; field < positions.length; field++) {
    const position = positions[field]!;
    const value = row.values[position];
    if (typeof value !== "number") continue;
    const judged = judge(field, value, row);
    if (judged === value) continue;
    values ??= row.values.slice();
    values[position] = Number.isNaN(judged) ? null : judged;
    if (marksChanged && !Number.isNaN(judged)) filled = marked(filled, position, values.length);
  }
  return values === undefined ? row : { ...row, values, filled };
}

function marked(filled: readonly boolean[] | undefined, position: number, width: number): readonly boolean[] {
  const marks = filled?.slice() ?? new Array<boolean>(width).fill(false);
  marks[position] = true;
  return marks;
}
