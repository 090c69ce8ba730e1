// Moments of a sliding window without drift: values leave the window, but nothing is ever subtracted.

import { Moments } from "./moments.js";
import type { Saved, Stateful } from "./state.js";

/** Numbers of one saved summary. */
const MOMENTS_NUMBERS = 5;

/**
 * A first-in-first-out window as two stacks (Tangwongsan, Hirzel and Schneider 2017, "Two-Stacks"): each value is
 * merged twice at most, so a step costs O(1) amortised and errors never accumulate, however long it runs.
 * NaN stands for a missing value: it takes a place in the window and adds nothing.
 */
export class SlidingMoments implements Stateful {
  // Values that came in since the last flip, and their summary.
  #incoming: number[] = [];
  readonly #incomingMoments = new Moments();
  // Summaries of what is left of the older values, shortest last: the last one covers them all.
  #outgoing: Moments[] = [];
  #outgoingSize = 0;

  get size(): number {
    return this.#outgoingSize + this.#incoming.length;
  }

  push(value: number): void {
    this.#incoming.push(value);
    if (!Number.isNaN(value)) this.#incomingMoments.add(value);
  }

  /** Removes the oldest value; the window must not be empty. */
  shift(): void {
    if (this.#outgoingSize === 0) this.#flip();
    this.#outgoingSize -= 1;
  }

  /** Writes the window's summary into `target`. */
  read(target: Moments): void {
    target.reset();
    if (this.#outgoingSize > 0) target.copyFrom(this.#outgoing[this.#outgoingSize - 1]!);
    target.merge(this.#incomingMoments);
  }

  save(): Saved {
    const left = this.#outgoing.slice(0, this.#outgoingSize).flatMap((summary) => summary.save());
    const saved: SavedWindow = {
      incoming: Float64Array.from(this.#incoming),
      incomingMoments: this.#incomingMoments.save(),
      outgoing: Float64Array.from(left),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { incoming, incomingMoments, outgoing } = saved as SavedWindow; // as `save` made it
    this.#incoming = [...incoming];
    this.#incomingMoments.restore(incomingMoments);
    this.#outgoingSize = outgoing.length / MOMENTS_NUMBERS;
    for (let depth = 0; depth < this.#outgoingSize; depth++) {
      this.#summaryAt(depth).restore(outgoing, depth * MOMENTS_NUMBERS);
    }
  }

  #flip(): void {
    const values = this.#incoming;
    for (let i = values.length - 1, depth = 0; i >= 0; i--, depth++) {
      const summary = this.#summaryAt(depth);
      if (depth === 0) summary.reset();
      else summary.copyFrom(this.#outgoing[depth - 1]!);
      if (!Number.isNaN(values[i])) summary.add(values[i]!);
    }
    this.#outgoingSize = values.length;
    this.#incoming = [];
    this.#incomingMoments.reset();
  }

  // Kept between flips: a window's size hardly changes.
  #summaryAt(depth: number): Moments {
    const known = this.#outgoing[depth];
    if (known !== undefined) return known;
    const fresh = new Moments();
    this.#outgoing.push(fresh);
    return fresh;
  }
}

interface SavedWindow {
  readonly incoming: Float64Array;
  readonly incomingMoments: readonly number[];
  /** Five numbers per summary that is left. */
  readonly outgoing: Float64Array;
}
