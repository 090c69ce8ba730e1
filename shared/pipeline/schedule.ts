// Which entities have something to do, and from when on.

import { Heap } from "./heap.js";

interface Entry {
  readonly entity: string;
  readonly dueMs: number;
}

/**
 * Every entity has at most one due time; the earliest comes first, and of two at one time the first by name, so that the
 * order does not depend on who was planned first. A change costs O(log n).
 */
export class Schedule {
  #heap = new Heap<Entry>(isBefore);
  readonly #due = new Map<string, number>();

  /** Puts the entity's due time in the place of the one before; Infinity takes it out. */
  plan(entity: string, dueMs: number): void {
    if (this.#due.get(entity) === dueMs) return;
    if (dueMs === Number.POSITIVE_INFINITY) {
      this.#due.delete(entity);
      return;
    }
    this.#due.set(entity, dueMs);
    this.#heap.push({ entity, dueMs });
    // Entries that were overtaken go when their time comes, or here.
    if (this.#heap.size > 64 + 4 * this.#due.size) this.#rebuild();
  }

  /** Takes the earliest entity out whose time is at most `nowMs`. */
  takeDue(nowMs: number): string | undefined {
    for (let next = this.#heap.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#due.get(next.entity) !== next.dueMs) continue;
      this.#due.delete(next.entity);
      return next.entity;
    }
    return undefined;
  }

  clear(): void {
    this.#heap = new Heap<Entry>(isBefore);
    this.#due.clear();
  }

  #rebuild(): void {
    this.#heap = new Heap<Entry>(isBefore);
    for (const [entity, dueMs] of this.#due) this.#heap.push({ entity, dueMs });
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs === b.dueMs ? a.entity < b.entity : a.dueMs < b.dueMs;
}
