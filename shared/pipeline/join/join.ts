// Rows of one stream, each with what others say about the same entity at that time. A row waits until nothing that it
// could be joined with can come any more, so what comes out depends on event time alone.

import type { Counters } from "../../counters.js";
import type { JoinRight, JoinSpec } from "../../task/join-spec.js";
import { type Input, MAX_HISTORY_ROWS } from "../operators/port.js";
import { Queue } from "../queue.js";
import type { Saved, Stateful } from "../state.js";
import type { PipelineRow } from "../types.js";
import { Asof } from "./asof.js";
import { AsofForecast } from "./asof-forecast.js";
import { Interval } from "./interval.js";
import type { Draft, RightContext, RightSide } from "./right.js";

/** Right rows that pile up before the join asks to be advanced, so that those of a silent left side can go. */
const RIGHT_ROWS_MANY = 1_000;

/** What a join may use of the world. */
export interface JoinContext {
  readonly counters: Counters;
  /** Takes each joined row, in strictly rising event time. */
  emit(row: PipelineRow): void;
}

/** One join at work on one entity. Each side's rows are pushed in rising event time. */
export class Join implements Stateful {
  readonly #context: JoinContext;
  readonly #rights: readonly RightSide[];
  /** Event time between the rows of each right side, 1 where they come as they come. */
  readonly #gridMs: readonly number[];
  readonly #waiting = new Queue<PipelineRow>();

  /** `sides` are the left input, then the rights'. */
  constructor(spec: JoinSpec, sides: readonly Input[], context: JoinContext) {
    this.#context = context;
    this.#rights = spec.rights.map((right, i) => createRight(right, sides[i + 1]!, context));
    this.#gridMs = spec.rights.map((_, i) => sides[i + 1]!.spacingMs ?? 1);
  }

  /** Takes a row of side `side`, 0 being the left. */
  push(side: number, row: PipelineRow): void {
    if (side > 0) {
      this.#rights[side - 1]!.push(row);
      return;
    }
    this.#waiting.push(row);
    if (this.#waiting.size <= MAX_HISTORY_ROWS) return;
    this.#context.counters.add("join.released-early");
    this.#complete(this.#waiting.shift()!);
  }

  /**
   * No row of side i before `promises[i]` will be pushed any more: emits what that settles. Returns the same promise
   * about the joined rows.
   */
  advance(promises: readonly number[]): number {
    let settledMs = Number.POSITIVE_INFINITY;
    this.#rights.forEach(({ afterMs }, i) => {
      settledMs = Math.min(settledMs, promises[i + 1]! - afterMs);
    });
    for (
      let row = this.#waiting.peek();
      row !== undefined && row.timeMs < settledMs;
      row = this.#waiting.peek()
    )
      this.#complete(this.#waiting.shift()!);
    const promiseMs = Math.min(promises[0]!, this.#waiting.peek()?.timeMs ?? Number.POSITIVE_INFINITY);
    for (const right of this.#rights) right.collapse(promiseMs);
    return promiseMs;
  }

  /** The watermark from which `advance` may have something to do; Infinity when nothing waits. */
  dueMs(): number {
    if (this.#rights.some(({ size }) => size > RIGHT_ROWS_MANY)) return Number.NEGATIVE_INFINITY;
    const oldest = this.#waiting.peek();
    if (oldest === undefined) return Number.POSITIVE_INFINITY;
    // A side on a grid promises in whole steps of it.
    return this.#rights.reduce((dueMs, { afterMs }, i) => {
      const gridMs = this.#gridMs[i]!;
      return Math.max(dueMs, (Math.floor((oldest.timeMs + afterMs) / gridMs) + 1) * gridMs);
    }, oldest.timeMs);
  }

  /** The data has ended: every waiting row is joined with what there is. */
  flush(): void {
    for (let row = this.#waiting.shift(); row !== undefined; row = this.#waiting.shift()) this.#complete(row);
  }

  save(): Saved {
    const saved: SavedJoin = {
      waiting: this.#waiting.toArray(),
      rights: this.#rights.map((right) => right.save()),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { waiting, rights } = saved as SavedJoin; // as `save` made it
    for (const row of waiting) this.#waiting.push(row);
    this.#rights.forEach((right, i) => {
      right.restore(rights[i]);
    });
  }

  #complete({ entity, timeMs, values, filled, test }: PipelineRow): void {
    const draft: Draft = {
      timeMs,
      values: [...values],
      filled: filled === undefined ? values.map(() => false) : [...filled],
    };
    for (const right of this.#rights) {
      if (right.complete(draft)) continue;
      this.#context.counters.add("join.missed");
      return;
    }
    const isFilled = draft.filled.includes(true);
    this.#context.emit({
      entity,
      timeMs,
      values: draft.values,
      filled: isFilled ? draft.filled : undefined,
      test,
    });
  }
}

interface SavedJoin {
  readonly waiting: readonly PipelineRow[];
  readonly rights: readonly Saved[];
}

function createRight(right: JoinRight, side: Input, context: RightContext): RightSide {
  if (right.kind === "interval") return new Interval(right, side, context);
  return right.valid === undefined ? new Asof(right, side, context) : new AsofForecast(right, side, context);
}
