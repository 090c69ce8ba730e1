// One number after the other: what steps and features of the same name share.

import type { z } from "zod";
import type { Counters } from "../../counters.js";
import { isSane } from "../magnitude.js";
import type { Saved, Stateful } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { fieldName, numberPositions } from "./fields.js";
import { refuseTaken, widened, widenedMarks, withFields } from "./output.js";
import {
  type Cost,
  type FeatureComputer,
  type FeatureOperator,
  type FeatureState,
  type Input,
  OperatorError,
  type OperatorExample,
  RowStep,
  type StepContext,
  type StepOperator,
} from "./port.js";

/** The numbers of one field, turned into others one by one. */
export interface Series extends Stateful {
  /** What `x` becomes; NaN stands for a missing value on both sides. Called for every row, in rising event time. */
  next(timeMs: number, x: number): number;
  /** Whether the past reached far enough when `next` was last called. */
  readonly isWarm: boolean;
}

/** What can be told from one number after the other, whether as a field or as a column. */
export interface SeriesKind<Params> {
  readonly name: string;
  /** Behind the field's name and a dot: "ema_2h". */
  suffix(params: Params): string;
  create(params: Params, counters: Counters): Series;
  /** Of one field. */
  cost(params: Params, input: Input): Cost;
}

interface Written<Params> {
  readonly doc: string;
  readonly example: OperatorExample;
  readonly moreExamples?: readonly OperatorExample[];
  readonly params: z.ZodType<Params>;
}

/** Of a step that makes a field: what it is called. The field's own name: in its place. */
export const asParam = fieldName
  .optional()
  .describe("The new field's name. Default: as the feature's column.");

/** A column per field of `of`. */
export function seriesFeature<Params extends { readonly of: readonly string[] }>(
  kind: SeriesKind<Params>,
  { params, ...written }: Written<Params>,
): FeatureOperator<Params> {
  return {
    name: kind.name,
    ...written,
    params,
    reads: ({ of }) => of,
    columns(params, input) {
      numberPositions(params.of, input);
      return params.of.map((name) => `${name}.${kind.suffix(params)}`);
    },
    create(params, input, counters) {
      const positions = numberPositions(params.of, input);
      return new SeriesColumns(
        positions,
        positions.map(() => kind.create(params, counters)),
        new NotFinite(kind.name, counters),
      );
    },
    cost: (params, input) => costOf(kind, params, input),
  };
}

/** A field per field of `of`, under the name of the feature's column or `as`. */
export function seriesStep<
  Params extends { readonly of: readonly string[]; readonly as?: string | undefined },
>(kind: SeriesKind<Params>, { params, ...written }: Written<Params>): StepOperator<Params> {
  const namesOf = (params: Params) => params.of.map((name) => params.as ?? `${name}.${kind.suffix(params)}`);
  const output = (params: Params, input: Input) => {
    if (params.as !== undefined && params.of.length > 1) {
      throw new OperatorError(["as"], `one name for ${params.of.length} fields: write one step for each`);
    }
    numberPositions(params.of, input);
    const names = namesOf(params);
    names.forEach((name, i) => {
      refuseTaken(input, name, params.of[i]!);
    });
    return withFields(
      input,
      names.map((name) => ({ name, length: 1 })),
    );
  };
  return {
    name: kind.name,
    ...written,
    params,
    reads(params, wanted) {
      const made = namesOf(params);
      return [...new Set([...wanted.filter((name) => !made.includes(name)), ...params.of])];
    },
    output,
    create(params, input, context) {
      const { fields } = output(params, input);
      const names = namesOf(params);
      const from = numberPositions(params.of, input);
      const slots = from.map((position, i) => ({
        from: position,
        to: fields.findIndex(({ name }) => name === names[i]),
        series: kind.create(params, context.counters),
      }));
      return new SeriesFields(slots, fields.length, {
        context,
        notFinite: new NotFinite(kind.name, context.counters),
      });
    },
    cost: (params, input) => costOf(kind, params, input),
  };
}

function costOf<Params extends { readonly of: readonly string[] }>(
  kind: SeriesKind<Params>,
  params: Params,
  input: Input,
): Cost {
  const { stateBytes, ...warmUp } = kind.cost(params, input);
  return { stateBytes: stateBytes * params.of.length, ...warmUp };
}

/** Makes missing what is no measurement, and counts it. */
class NotFinite {
  readonly #key: string;
  readonly #counters: Counters;

  constructor(name: string, counters: Counters) {
    this.#key = `${name}.not-finite`;
    this.#counters = counters;
  }

  refuse(x: number): number {
    if (isSane(x) || Number.isNaN(x)) return x;
    this.#counters.add(this.#key);
    return Number.NaN;
  }
}

class SeriesColumns implements FeatureComputer {
  readonly #positions: readonly number[];
  readonly #series: readonly Series[];
  readonly #notFinite: NotFinite;

  constructor(positions: readonly number[], series: readonly Series[], notFinite: NotFinite) {
    this.#positions = positions;
    this.#series = series;
    this.#notFinite = notFinite;
  }

  push({ timeMs, values }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let state: FeatureState = "complete";
    let isWarm = true;
    for (let i = 0; i < this.#series.length; i++) {
      const series = this.#series[i]!;
      const value = this.#notFinite.refuse(series.next(timeMs, numberOf(values[this.#positions[i]!])));
      if (!series.isWarm) isWarm = false;
      if (Number.isNaN(value)) state = "missing";
      out[offset + i] = value;
    }
    return isWarm ? state : "warming-up";
  }

  save(): Saved {
    return this.#series.map((series) => series.save());
  }

  restore(saved: Saved): void {
    restoreAll(this.#series, saved);
  }
}

interface Slot {
  readonly from: number;
  readonly to: number;
  readonly series: Series;
}

class SeriesFields extends RowStep {
  readonly #slots: readonly Slot[];
  readonly #width: number;
  readonly #context: StepContext;
  readonly #notFinite: NotFinite;

  constructor(
    slots: readonly Slot[],
    width: number,
    { context, notFinite }: { readonly context: StepContext; readonly notFinite: NotFinite },
  ) {
    super();
    this.#slots = slots;
    this.#width = width;
    this.#context = context;
    this.#notFinite = notFinite;
  }

  push(row: PipelineRow): void {
    const values = widened(row.values, this.#width);
    for (const { from, to, series } of this.#slots) {
      const value = this.#notFinite.refuse(series.next(row.timeMs, numberOf(row.values[from])));
      values[to] = Number.isNaN(value) ? null : value;
    }
    this.#context.emit({ ...row, values, filled: this.#filledOf(row) });
  }

  override save(): Saved {
    return this.#slots.map(({ series }) => series.save());
  }

  override restore(saved: Saved): void {
    restoreAll(
      this.#slots.map(({ series }) => series),
      saved,
    );
  }

  // What was made from a filled value was not measured either.
  #filledOf({ filled }: PipelineRow): readonly boolean[] | undefined {
    if (filled === undefined) return undefined;
    const marks = widenedMarks(filled, this.#width);
    for (const { from, to } of this.#slots) marks[to] = filled[from] === true;
    return marks;
  }
}

function restoreAll(series: readonly Series[], saved: Saved): void {
  const states = saved as readonly Saved[]; // as `save` made it
  series.forEach((each, i) => {
    each.restore(states[i]);
  });
}

function numberOf(value: Value | undefined): number {
  return typeof value === "number" ? value : Number.NaN;
}
