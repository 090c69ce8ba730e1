// Predictions that wait for their label, as they were made at the time: what a model says of a row later is another
// matter. Bounded in bytes, at some 5,500 answers of one number; the oldest go first, counted.

import type { Counters } from "../../shared/counters.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";

const BYTES_MAX = 4 * 1024 * 1024;
/** A name, a place in a map and two arrays: 743 bytes as measured on Node 20. */
const OVERHEAD_BYTES = 750;

/** What one version said on a row. */
export interface BookedOutput {
  /** `keyOf` the version. */
  readonly key: string;
  /** As the model gave it, scaled. */
  readonly output: Float32Array;
}

/** What was said on one row. */
export interface BookedAnswer {
  /** Number of the pair of versions that were asked. */
  readonly pair: number;
  readonly outputs: readonly BookedOutput[];
}

/** Answers by the row that they are about. */
export class AnswerBook implements Stateful {
  readonly #limit: number;
  readonly #counters: Counters;
  // Oldest first.
  readonly #answers = new Map<string, BookedAnswer>();

  /** `width`: outputs of a model. */
  constructor({ width, counters }: { readonly width: number; readonly counters: Counters }) {
    // Of two versions, four bytes a number.
    this.#limit = Math.floor(BYTES_MAX / (OVERHEAD_BYTES + 8 * width));
    this.#counters = counters;
  }

  get size(): number {
    return this.#answers.size;
  }

  put({ entity, timeMs }: Row, answer: BookedAnswer): void {
    this.#answers.set(nameOf(entity, timeMs), answer);
    if (this.#answers.size <= this.#limit) return;
    const [oldest] = this.#answers.keys();
    this.#answers.delete(oldest!);
    this.#counters.add("monitor.answers-dropped");
  }

  /** The answer on a row; then it is settled. */
  take({ entity, timeMs }: Row): BookedAnswer | undefined {
    const name = nameOf(entity, timeMs);
    const answer = this.#answers.get(name);
    if (answer !== undefined) this.#answers.delete(name);
    return answer;
  }

  /** Forgets what versions said that nobody watches any more. */
  keepOnly(isWatched: (key: string) => boolean): void {
    for (const [name, { pair, outputs }] of this.#answers) {
      const kept = outputs.filter(({ key }) => isWatched(key));
      if (kept.length === 0) this.#answers.delete(name);
      else if (kept.length < outputs.length) this.#answers.set(name, { pair, outputs: kept });
    }
  }

  save(): Saved {
    return [...this.#answers];
  }

  restore(saved: Saved): void {
    for (const [name, answer] of saved as [string, BookedAnswer][]) this.#answers.set(name, answer); // as `save` made it
  }
}

interface Row {
  readonly entity: string;
  readonly timeMs: number;
}

function nameOf(entity: string, timeMs: number): string {
  return `${timeMs} ${entity}`;
}
