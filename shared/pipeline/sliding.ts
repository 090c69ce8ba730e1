// Summaries of a sliding window without drift: values leave the window, but nothing is ever subtracted.

import { Moments } from "./moments.js";
import type { Saved, Stateful } from "./state.js";

/** A summary of values, put together from two by `merge`: as exact as if they had been added one by one. */
export interface Mergeable<Self> {
  add(x: number, timeMs: number): void;
  /** `other` holds later values. */
  merge(other: Self): void;
  copyFrom(other: Self): void;
  reset(): void;
  /** The summary as numbers, always as many. */
  save(): readonly number[];
  restore(saved: ArrayLike<number>, at?: number): void;
}

/**
 * A first-in-first-out window as two stacks (Tangwongsan, Hirzel and Schneider 2017, "Two-Stacks"): each value is
 * merged twice at most, so a step costs O(1) amortised and errors never accumulate, however long it runs.
 * NaN stands for a missing value: it takes a place in the window and adds nothing.
 */
export class SlidingSummary<Summary extends Mergeable<Summary>> implements Stateful {
  readonly #make: () => Summary;
  // Values that came in since the last flip, their times, and their summary.
  #incoming: number[] = [];
  #times: number[] = [];
  readonly #incomingSummary: Summary;
  // Summaries of what is left of the older values, shortest last: the last one covers them all.
  #outgoing: Summary[] = [];
  #outgoingSize = 0;

  constructor(make: () => Summary) {
    this.#make = make;
    this.#incomingSummary = make();
  }

  get size(): number {
    return this.#outgoingSize + this.#incoming.length;
  }

  push(value: number, timeMs = 0): void {
    this.#incoming.push(value);
    this.#times.push(timeMs);
    if (!Number.isNaN(value)) this.#incomingSummary.add(value, timeMs);
  }

  /** Removes the oldest value; the window must not be empty. */
  shift(): void {
    if (this.#outgoingSize === 0) this.#flip();
    this.#outgoingSize -= 1;
  }

  /** Writes the window's summary into `target`. */
  read(target: Summary): void {
    target.reset();
    if (this.#outgoingSize > 0) target.copyFrom(this.#outgoing[this.#outgoingSize - 1]!);
    target.merge(this.#incomingSummary);
  }

  save(): Saved {
    const left = this.#outgoing.slice(0, this.#outgoingSize).flatMap((summary) => summary.save());
    const saved: SavedWindow = {
      incoming: Float64Array.from(this.#incoming),
      times: Float64Array.from(this.#times),
      incomingSummary: this.#incomingSummary.save(),
      outgoing: Float64Array.from(left),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { incoming, times, incomingSummary, outgoing } = saved as SavedWindow; // as `save` made it
    this.#incoming = [...incoming];
    this.#times = [...times];
    this.#incomingSummary.restore(incomingSummary);
    this.#outgoingSize = outgoing.length / incomingSummary.length;
    for (let depth = 0; depth < this.#outgoingSize; depth++) {
      this.#summaryAt(depth).restore(outgoing, depth * incomingSummary.length);
    }
  }

  #flip(): void {
    const values = this.#incoming;
    for (let i = values.length - 1, depth = 0; i >= 0; i--, depth++) {
      const summary = this.#summaryAt(depth);
      summary.reset();
      if (!Number.isNaN(values[i])) summary.add(values[i]!, this.#times[i]!);
      if (depth > 0) summary.merge(this.#outgoing[depth - 1]!);
    }
    this.#outgoingSize = values.length;
    this.#incoming = [];
    this.#times = [];
    this.#incomingSummary.reset();
  }

  // Kept between flips: a window's size hardly changes.
  #summaryAt(depth: number): Summary {
    const known = this.#outgoing[depth];
    if (known !== undefined) return known;
    const fresh = this.#make();
    this.#outgoing.push(fresh);
    return fresh;
  }
}

interface SavedWindow {
  readonly incoming: Float64Array;
  readonly times: Float64Array;
  readonly incomingSummary: readonly number[];
  /** As many numbers per summary that is left. */
  readonly outgoing: Float64Array;
}

/** Count, mean, spread and extremes of a sliding window. */
export class SlidingMoments extends SlidingSummary<Moments> {
  constructor() {
    super(() => new Moments());
  }
}
