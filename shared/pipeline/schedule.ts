// Who has something to do, and from when on.

import { Heap } from "./heap.js";

interface Entry<Item> {
  readonly item: Item;
  readonly dueMs: number;
}

/** Every item has at most one due time; the earliest comes first. A change costs O(log n). */
export class Schedule<Item> {
  #heap = new Heap<Entry<Item>>(isBefore);
  readonly #due = new Map<Item, number>();

  /** Puts the item's due time in the place of the one before; Infinity takes it out. */
  plan(item: Item, dueMs: number): void {
    if (this.#due.get(item) === dueMs) return;
    if (dueMs === Number.POSITIVE_INFINITY) {
      this.#due.delete(item);
      return;
    }
    this.#due.set(item, dueMs);
    this.#heap.push({ item, dueMs });
    // Entries that were overtaken go when their time comes, or here.
    if (this.#heap.size > 64 + 4 * this.#due.size) this.#rebuild();
  }

  /** Takes the earliest item out whose time is at most `nowMs`. */
  takeDue(nowMs: number): Item | undefined {
    for (let next = this.#heap.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#due.get(next.item) !== next.dueMs) continue;
      this.#due.delete(next.item);
      return next.item;
    }
    return undefined;
  }

  clear(): void {
    this.#heap = new Heap<Entry<Item>>(isBefore);
    this.#due.clear();
  }

  #rebuild(): void {
    this.#heap = new Heap<Entry<Item>>(isBefore);
    for (const [item, dueMs] of this.#due) this.#heap.push({ item, dueMs });
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.dueMs < b.dueMs;
}
