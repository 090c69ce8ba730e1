// Rows that wait for their label: bounded per entity, and over all entities by count and bytes.

import type { Counters } from "../../counters.js";
import type { LabelSpec } from "../../task/task.js";
import { MAX_HISTORY_ROWS } from "../operators/port.js";
import { Queue } from "../queue.js";

/** A row, its features' array and its place in the queue, as measured on Node 20. */
const ROW_OVERHEAD_BYTES = 270;
/** Its id, and what was said of it. */
const ID_BYTES = 104;

/** What one row takes that waits for `label`. */
export function pendingRowBytes(columns: number, label: LabelSpec): number {
  const isById = label.kind === "feedback" && label.match.kind === "id";
  return ROW_OVERHEAD_BYTES + 4 * columns + (isById ? ID_BYTES : 0);
}

/** Room for the waiting rows of all entities. */
export class PendingBudget {
  readonly #maxRows: number;
  readonly #rowBytes: number;
  #rows = 0;

  constructor(limits: { readonly rows: number; readonly bytes: number; readonly rowBytes: number }) {
    this.#rowBytes = limits.rowBytes;
    this.#maxRows = Math.min(limits.rows, Math.floor(limits.bytes / this.#rowBytes));
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#rows * this.#rowBytes;
  }

  /** Takes room for a row; false when there is none. */
  take(): boolean {
    if (this.#rows >= this.#maxRows) return false;
    this.#rows += 1;
    return true;
  }

  release(rows = 1): void {
    this.#rows -= rows;
  }
}

/** One entity's waiting rows, oldest first. */
export class PendingRows<Item> {
  readonly #budget: PendingBudget;
  readonly #counters: Counters;
  readonly #items = new Queue<Item>();

  constructor({ budget, counters }: { readonly budget: PendingBudget; readonly counters: Counters }) {
    this.#budget = budget;
    this.#counters = counters;
  }

  get size(): number {
    return this.#items.size;
  }

  peek(): Item | undefined {
    return this.#items.peek();
  }

  /** Adds a row. Where there is no room the entity's own oldest goes for it (counted) and is returned, or `item`. */
  push(item: Item): Item | undefined {
    const isFull = this.#items.size >= MAX_HISTORY_ROWS;
    if (!isFull && this.#budget.take()) {
      this.#items.push(item);
      return undefined;
    }
    this.#counters.add("labels.pending-full");
    const oldest = this.#items.shift();
    if (oldest === undefined) return item;
    this.#items.push(item);
    return oldest;
  }

  shift(): Item | undefined {
    if (this.#items.size > 0) this.#budget.release();
    return this.#items.shift();
  }

  clear(): void {
    this.#budget.release(this.#items.size);
    this.#items.clear();
  }

  toArray(): Item[] {
    return this.#items.toArray();
  }
}
