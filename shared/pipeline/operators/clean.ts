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
  /** What comes out differently was not measured: labels and `observed` refuse it. */
  readonly marksChanged?: true;
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
      const fields = numberPositions(params.of, input).map((position) => ({
        position,
        judge: kind.create(params, context.counters),
      }));
      return new Clean(fields, kind.marksChanged === true, context);
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

interface JudgedField {
  readonly position: number;
  readonly judge: Judge;
}

class Clean extends RowStep {
  readonly #fields: readonly JudgedField[];
  readonly #marksChanged: boolean;
  readonly #context: StepContext;

  constructor(fields: readonly JudgedField[], marksChanged: boolean, context: StepContext) {
    super();
    this.#fields = fields;
    this.#marksChanged = marksChanged;
    this.#context = context;
  }

  // Most rows are sound, and pass as they are.
  push(row: PipelineRow): void {
    let values: Value[] | undefined;
    let filled = row.filled;
    for (const { position, judge } of this.#fields) {
      const value = row.values[position];
      if (typeof value !== "number") continue;
      const judged = judge.judge(row.timeMs, value);
      if (judged === value) continue;
      values ??= row.values.slice();
      values[position] = Number.isNaN(judged) ? null : judged;
      if (this.#marksChanged && !Number.isNaN(judged)) filled = marked(filled, position, row.values.length);
    }
    this.#context.emit(values === undefined ? row : { ...row, values, filled });
  }

  override save(): Saved {
    return this.#fields.map(({ judge }) => judge.save());
  }

  override restore(saved: Saved): void {
    const states = saved as readonly Saved[]; // as `save` made it
    this.#fields.forEach(({ judge }, i) => {
      judge.restore(states[i]);
    });
  }
}

function marked(filled: readonly boolean[] | undefined, position: number, width: number): readonly boolean[] {
  const marks = filled?.slice() ?? new Array<boolean>(width).fill(false);
  marks[position] = true;
  return marks;
}
