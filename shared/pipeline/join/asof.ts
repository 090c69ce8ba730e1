// The newest row at or before a time: what was known then.

import type { AsofRight } from "../../task/join-spec.js";
import { positionOf } from "../operators/fields.js";
import type { Input } from "../operators/port.js";
import { Queue } from "../queue.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { type Draft, RIGHT_ROWS_MAX, type RightContext, type RightSide } from "./right.js";

/** As-of: the newest row with t - back <= its time <= t. */
export class Asof implements RightSide {
  readonly afterMs = 0;
  readonly #right: AsofRight;
  readonly #taken: TakenFields;
  readonly #context: RightContext;
  // Newer than any left row so far.
  #ahead = new Queue<PipelineRow>();
  #current: PipelineRow | undefined;

  constructor(right: AsofRight, side: Input, context: RightContext) {
    this.#right = right;
    this.#taken = new TakenFields(right, side);
    this.#context = context;
  }

  get size(): number {
    return this.#ahead.size;
  }

  push(row: PipelineRow): void {
    this.#ahead.push(row);
    if (this.#ahead.size <= RIGHT_ROWS_MAX) return;
    this.#ahead.shift();
    this.#context.counters.add("join.full");
  }

  complete(draft: Draft): boolean {
    this.collapse(draft.timeMs);
    const { backMs, miss } = this.#right;
    const row = this.#current;
    const isNear = row !== undefined && draft.timeMs - row.timeMs <= backMs;
    if (!isNear && miss === "drop") return false;
    this.#taken.add(isNear || miss === "hold" ? row : undefined, draft);
    return true;
  }

  collapse(leftMs: number): void {
    for (
      let next = this.#ahead.peek();
      next !== undefined && next.timeMs <= leftMs;
      next = this.#ahead.peek()
    ) {
      this.#current = this.#ahead.shift();
    }
  }

  save(): Saved {
    const saved: SavedAsof = { ahead: this.#ahead.toArray(), current: this.#current ?? null };
    return saved;
  }

  restore(saved: Saved): void {
    const { ahead, current } = saved as SavedAsof; // as `save` made it
    for (const row of ahead) this.#ahead.push(row);
    this.#current = current ?? undefined;
  }
}

interface SavedAsof {
  readonly ahead: readonly PipelineRow[];
  readonly current: PipelineRow | null;
}

/** The fields that go from a right row into a joined one. */
export class TakenFields {
  readonly #positions: readonly number[];

  constructor({ from, take }: AsofRight, side: Input) {
    this.#positions = Object.values(take).map((field) =>
      positionOf(side, field, ["asof", from, "take", field]),
    );
  }

  /** Adds them; missing ones where there is no row. */
  add(row: PipelineRow | undefined, { values, filled }: Draft): void {
    for (const position of this.#positions) {
      values.push(row?.values[position] ?? null);
      filled.push(row?.filled?.[position] ?? false);
    }
  }
}
