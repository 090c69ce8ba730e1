// What a concept detector is: it hears one number after the other and says when their mean, or their law, has changed.
// One file per detector, one line in the registry; the monitor knows none of them by name.

import type { z } from "zod";
import type { Saved, Stateful } from "../../pipeline/state.js";

/**
 * What one more number tells. `refused`: it is none that this detector can take (NaN, infinite, or outside of its
 * `input`), and nothing has changed; the caller counts it.
 */
export type DetectorVerdict = "ok" | "warning" | "drift" | "refused";

/**
 * What a detector takes: 0 or 1; anything from 0 to 1; any finite number; any finite number that is counted in deviations
 * from what is usual.
 */
export type DetectorInput = "bits" | "shares" | "numbers" | "scores";

/** One stream under watch. It starts anew by itself with the update after a drift. */
export interface ConceptDetector extends Stateful {
  update(x: number): DetectorVerdict;
  /**
   * How many of the latest updates belong to what holds now, as far as the detector can tell: right after a drift, the
   * age of the change. At least 1 after the first update.
   */
  readonly updatesSinceChange: number;
  /** Forgets everything: for a new model, whose errors say nothing of the old one's. */
  reset(): void;
}

/** How an author writes a detector: printed in the docs, and what its contract is tested with. */
export interface DetectorExample {
  readonly params: unknown;
}

/** A kind of detector. `params` is parsed by its own schema before any other member sees it; `{}` means the defaults. */
export interface DetectorKind<Params = unknown> {
  readonly name: string;
  /** One sentence for people, shown in the JSON Schema and the docs. */
  readonly doc: string;
  readonly input: DetectorInput;
  readonly example: DetectorExample;
  /** Its other ways, each held to the same contract. */
  readonly moreExamples?: readonly DetectorExample[];
  readonly params: z.ZodType<Params>;
  create(params: Params): ConceptDetector;
  /** Whether all that it tells is a mean that has risen: such an alarm is over when the mean has come back. */
  tellsRises(params: Params): boolean;
  /** Most bytes that one instance's numbers take, however long it watches. */
  stateBytes(params: Params): number;
}

/** What all detectors do alike: refuse what they cannot take, and start anew after a drift. */
export abstract class Detector implements ConceptDetector {
  readonly #input: DetectorInput;
  #hasDrifted = false;

  constructor(input: DetectorInput) {
    this.#input = input;
  }

  update(x: number): DetectorVerdict {
    if (!isTaken(this.#input, x)) return "refused";
    if (this.#hasDrifted) this.reset();
    const verdict = this.see(x);
    this.#hasDrifted = verdict === "drift";
    return verdict;
  }

  reset(): void {
    this.#hasDrifted = false;
    this.forget();
  }

  save(): Saved {
    return [this.#hasDrifted, this.saveNumbers()];
  }

  restore(saved: Saved): void {
    const [hasDrifted, numbers] = saved as readonly [boolean, Saved]; // as `save` made it
    this.#hasDrifted = hasDrifted;
    this.restoreNumbers(numbers);
  }

  abstract readonly updatesSinceChange: number;
  /** One number that may be taken. */
  protected abstract see(x: number): Exclude<DetectorVerdict, "refused">;
  /** Back to what it was when new. */
  protected abstract forget(): void;
  protected abstract saveNumbers(): Saved;
  protected abstract restoreNumbers(saved: Saved): void;
}

function isTaken(input: DetectorInput, x: number): boolean {
  if (input === "bits") return x === 0 || x === 1;
  return input === "shares" ? x >= 0 && x <= 1 : Number.isFinite(x);
}
