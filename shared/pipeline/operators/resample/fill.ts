// How resample closes gaps: not at all, by holding the last value, along a straight line, or by a constant. Never without bound.

import { z } from "zod";
import { unreachable } from "../../../assert.js";
import { durationMs } from "../../../task/units.js";
import type { Saved, Stateful } from "../../state.js";
import type { PipelineRow, Value } from "../../types.js";

const RULE =
  'expected "none", {hold: longest age}, {linear: longest gap} or {const: value, age: longest}, such as {hold: 6h}';

const MAX_CONST = 1e12;

/** How gaps are filled; every filled value is marked as such. */
export const fillParams = z
  .union(
    [
      z.literal("none"),
      z.strictObject({ hold: durationMs }),
      z.strictObject({ linear: durationMs }),
      z.strictObject({ const: z.number().min(-MAX_CONST).max(MAX_CONST), age: durationMs.optional() }),
    ],
    { error: RULE },
  )
  .prefault("none")
  .transform((value): WrittenFill => {
    if (value === "none") return { kind: "none", spanMs: 0 };
    if ("hold" in value) return { kind: "hold", spanMs: value.hold };
    if ("linear" in value) return { kind: "linear", spanMs: value.linear };
    return { kind: "const", spanMs: value.age, value: value.const };
  });

/** `spanMs`: the oldest value held, or the longest gap drawn over, from measured bin to measured bin. */
export type FillSpec =
  | { readonly kind: "none" | "hold" | "linear"; readonly spanMs: number }
  /** `spanMs`: how long after the entity's last measurement, whatever the field. */
  | { readonly kind: "const"; readonly spanMs: number; readonly value: number };

/** A constant's age may have been left open. */
export type WrittenFill =
  | Exclude<FillSpec, { kind: "const" }>
  | { readonly kind: "const"; readonly spanMs: number | undefined; readonly value: number };

/** A grid row on its way out: values may still be filled in. */
export interface Draft extends PipelineRow {
  readonly values: Value[];
  filled: boolean[] | undefined;
}

/** Fills gaps in one entity's grid rows. */
export interface Filler extends Stateful {
  /** The next grid row, in order; it may be without any value. */
  take(draft: Draft): void;
  /** True when a grid row without data at `timeMs` could get a value. */
  wants(timeMs: number): boolean;
  /** Emits the rows that nothing at or after grid time `nextMs` can change. */
  release(nextMs: number): void;
  /** Time of the oldest row kept back, Infinity when none is. */
  waitingMs(): number;
}

/** A filler for rows of `width` fields. Rows without any value are never emitted. */
export function createFiller(spec: FillSpec, width: number, emit: (row: PipelineRow) => void): Filler {
  const emitUseful = (row: PipelineRow) => {
    if (row.values.some((value) => value !== null)) emit(row);
  };
  switch (spec.kind) {
    case "none":
      return new Holder(Number.NEGATIVE_INFINITY, width, emitUseful);
    case "hold":
      return new Holder(spec.spanMs, width, emitUseful);
    case "linear":
      return new Liner(spec.spanMs, width, emitUseful);
    case "const":
      return new Constant(spec.spanMs, spec.value, emitUseful);
    default:
      return unreachable(spec);
  }
}

/** Repeats the last measured value up to an age. */
class Holder implements Filler {
  readonly #maxAgeMs: number;
  readonly #emit: (row: PipelineRow) => void;
  #held: Value[];
  #heldMs: number[];
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(maxAgeMs: number, width: number, emit: (row: PipelineRow) => void) {
    this.#maxAgeMs = maxAgeMs;
    this.#emit = emit;
    this.#held = new Array<Value>(width).fill(null);
    this.#heldMs = new Array<number>(width).fill(Number.NEGATIVE_INFINITY);
  }

  take(draft: Draft): void {
    const { values, timeMs } = draft;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value !== null) this.#remember(i, value, timeMs);
      else if (timeMs - this.#heldMs[i]! <= this.#maxAgeMs) fillIn(draft, i, this.#held[i]!);
    }
    this.#emit(draft);
  }

  wants(timeMs: number): boolean {
    return timeMs - this.#newestMs <= this.#maxAgeMs;
  }

  release(): void {}

  waitingMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  save(): Saved {
    const saved: SavedHolder = { held: this.#held, heldMs: this.#heldMs, newestMs: this.#newestMs };
    return saved;
  }

  restore(saved: Saved): void {
    const { held, heldMs, newestMs } = saved as SavedHolder; // as `save` made it
    this.#held = [...held];
    this.#heldMs = [...heldMs];
    this.#newestMs = newestMs;
  }

  #remember(field: number, value: Value, timeMs: number): void {
    this.#held[field] = value;
    this.#heldMs[field] = timeMs;
    this.#newestMs = timeMs;
  }
}

/** Puts one value wherever there is none, for so long after the last measurement. */
class Constant implements Filler {
  readonly #maxAgeMs: number;
  readonly #value: number;
  readonly #emit: (row: PipelineRow) => void;
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(maxAgeMs: number, value: number, emit: (row: PipelineRow) => void) {
    this.#maxAgeMs = maxAgeMs;
    this.#value = value;
    this.#emit = emit;
  }

  take(draft: Draft): void {
    const { values, timeMs } = draft;
    if (values.some((value) => value !== null)) this.#newestMs = timeMs;
    if (this.wants(timeMs)) {
      for (let i = 0; i < values.length; i++) if (values[i] === null) fillIn(draft, i, this.#value);
    }
    this.#emit(draft);
  }

  wants(timeMs: number): boolean {
    return timeMs - this.#newestMs <= this.#maxAgeMs;
  }

  release(): void {}

  waitingMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  save(): Saved {
    return this.#newestMs;
  }

  restore(saved: Saved): void {
    this.#newestMs = saved as number; // as `save` made it
  }
}

/** Draws a line between the measured numbers on both sides of a gap; rows wait until the far side is known. */
class Liner implements Filler {
  readonly #maxGapMs: number;
  readonly #emit: (row: PipelineRow) => void;
  #last: Value[];
  #lastMs: number[];
  #waiting: Draft[] = [];
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(maxGapMs: number, width: number, emit: (row: PipelineRow) => void) {
    this.#maxGapMs = maxGapMs;
    this.#emit = emit;
    this.#last = new Array<Value>(width).fill(null);
    this.#lastMs = new Array<number>(width).fill(Number.NEGATIVE_INFINITY);
  }

  take(draft: Draft): void {
    const { values, timeMs } = draft;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === null) continue;
      if (typeof value === "number") this.#draw(i, value, timeMs);
      this.#last[i] = value;
      this.#lastMs[i] = timeMs;
      this.#newestMs = timeMs;
    }
    this.#waiting.push(draft);
  }

  wants(timeMs: number): boolean {
    return timeMs - this.#newestMs < this.#maxGapMs;
  }

  release(nextMs: number): void {
    let settled = 0;
    while (settled < this.#waiting.length && !this.#isOpen(this.#waiting[settled]!, nextMs)) settled += 1;
    for (const row of this.#waiting.splice(0, settled)) this.#emit(row);
  }

  waitingMs(): number {
    return this.#waiting[0]?.timeMs ?? Number.POSITIVE_INFINITY;
  }

  save(): Saved {
    const saved: SavedLiner = {
      waiting: this.#waiting,
      last: this.#last,
      lastMs: this.#lastMs,
      newestMs: this.#newestMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { waiting, last, lastMs, newestMs } = saved as SavedLiner; // as `save` made it
    this.#waiting = [...waiting];
    this.#last = [...last];
    this.#lastMs = [...lastMs];
    this.#newestMs = newestMs;
  }

  // Open: a value is missing that a measurement at `nextMs` would fill.
  #isOpen({ values }: Draft, nextMs: number): boolean {
    return values.some(
      (value, i) =>
        value === null && typeof this.#last[i] === "number" && nextMs - this.#lastMs[i]! <= this.#maxGapMs,
    );
  }

  #draw(field: number, value: number, timeMs: number): void {
    const from = this.#last[field];
    const fromMs = this.#lastMs[field]!;
    if (typeof from !== "number" || timeMs - fromMs > this.#maxGapMs) return;
    const slope = (value - from) / (timeMs - fromMs);
    for (const draft of this.#waiting) {
      if (draft.timeMs > fromMs) fillIn(draft, field, from + slope * (draft.timeMs - fromMs));
    }
  }
}

interface SavedHolder {
  readonly held: readonly Value[];
  readonly heldMs: readonly number[];
  readonly newestMs: number;
}

interface SavedLiner {
  readonly waiting: readonly Draft[];
  readonly last: readonly Value[];
  readonly lastMs: readonly number[];
  readonly newestMs: number;
}

function fillIn(draft: Draft, field: number, value: Value): void {
  draft.values[field] = value;
  draft.filled ??= new Array<boolean>(draft.values.length).fill(false);
  draft.filled[field] = true;
}
