// Second-order sections at work on one stream of samples.

import type { Saved, Stateful } from "../state.js";
import type { Section } from "./butterworth.js";
import type { Samples } from "./samples.js";

// Far below any measurement: what is left of a signal that has ended would become subnormal, and slow.
const NOTHING = 1e-30;

/**
 * A causal filter. Starts as if the first sample had been there for ever, so that a constant passes (or not) from the
 * first sample on. What comes out depends on the samples alone, not on how they are cut into blocks (but for what is
 * below 1e-30).
 */
export class Cascade implements Stateful {
  readonly #sections: readonly Section[];
  // Two numbers per section: the transposed direct form II.
  readonly #state: Float64Array;
  #isRunning = false;

  constructor(sections: readonly Section[]) {
    this.#sections = sections;
    this.#state = new Float64Array(2 * sections.length);
  }

  /** The next samples start anew: what came before has nothing to do with them. */
  reset(): void {
    this.#isRunning = false;
  }

  /** Filters in place. */
  run(x: Samples): void {
    if (!this.#isRunning) this.#settle(x[0]!);
    this.#isRunning = true;
    for (let i = 0; i < this.#sections.length; i++) this.#runSection(i, x);
  }

  save(): Saved {
    return this.#isRunning ? this.#state : null;
  }

  restore(saved: Saved): void {
    if (saved === null) return;
    this.#state.set(saved as Float64Array); // as `save` made it
    this.#isRunning = true;
  }

  #runSection(section: number, x: Samples): void {
    const { b0, b1, b2, a1, a2 } = this.#sections[section]!;
    let z1 = this.#state[2 * section]!;
    let z2 = this.#state[2 * section + 1]!;
    for (let n = 0; n < x.length; n++) {
      const input = x[n]!;
      const output = b0 * input + z1;
      z1 = b1 * input - a1 * output + z2;
      z2 = b2 * input - a2 * output;
      x[n] = output;
    }
    this.#state[2 * section] = Math.abs(z1) < NOTHING ? 0 : z1;
    this.#state[2 * section + 1] = Math.abs(z2) < NOTHING ? 0 : z2;
  }

  // The state that a constant leads to (SciPy's `sosfilt_zi`).
  #settle(constant: number): void {
    let input = constant;
    this.#sections.forEach(({ b0, b1, b2, a1, a2 }, i) => {
      const output = (input * (b0 + b1 + b2)) / (1 + a1 + a2);
      const z2 = b2 * input - a2 * output;
      this.#state[2 * i] = b1 * input - a1 * output + z2;
      this.#state[2 * i + 1] = z2;
      input = output;
    });
  }
}
