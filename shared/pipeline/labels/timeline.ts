// Things said about moments of event time, kept in its order.

import type { Counters } from "../../counters.js";

/** Most that is kept of one entity; beyond, the oldest go and are counted. */
export const MAX_HEARD = 4_096;

/** What has a place on a timeline. */
export interface Timed {
  readonly timeMs: number;
}

/** Items in rising event time; of equal times the later to come is the later. Mostly they come in order. */
export class Timeline<Item extends Timed> {
  readonly #counters: Counters;
  #items: Item[] = [];

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Oldest first. */
  get items(): readonly Item[] {
    return this.#items;
  }

  add(item: Item): void {
    let at = this.#items.length;
    while (at > 0 && this.#items[at - 1]!.timeMs > item.timeMs) at--;
    this.#items.splice(at, 0, item);
    if (this.#items.length <= MAX_HEARD) return;
    this.#items.shift();
    this.#counters.add("labels.overflow");
  }

  /** Index of the first item at or after `timeMs`; the number of items when there is none. */
  indexFrom(timeMs: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle]!.timeMs < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes out and returns every item before `timeMs` that is over. */
  removeBefore(timeMs: number, isOver: (item: Item) => boolean): readonly Item[] {
    const end = this.indexFrom(timeMs);
    if (end === 0) return [];
    const past = this.#items.slice(0, end);
    const over = past.filter(isOver);
    if (over.length > 0) this.#items = [...past.filter((item) => !isOver(item)), ...this.#items.slice(end)];
    return over;
  }
}
