// Whether a version still answers with numbers, by its latest answers.

import type { BaseModel } from "../model/check.js";
import type { Answers } from "./answers.js";

/** Answers that are looked at: the latest. */
const ANSWERS = 100;
/** Fewer say nothing. */
const ANSWERS_MIN = 20;
/** More of them than this share must not be without a finite number. */
const INVALID_MAX = 0.1;

/** Watches one version after the other. */
export class Health {
  readonly #isInvalid = new Uint8Array(ANSWERS);
  #version: BaseModel | undefined;
  #seen = 0;
  #invalid = 0;

  /**
   * Sees answers of a version, NaN for one that is no finite number; to a broken row there is none. False: it does not work
   * any more.
   */
  see(version: BaseModel, values: Float64Array, { broken }: Pick<Answers, "broken">): boolean {
    if (version !== this.#version) this.#startAnew(version);
    values.forEach((value, row) => {
      if (!broken.has(row)) this.#add(Number.isNaN(value) ? 1 : 0);
    });
    const seen = Math.min(this.#seen, ANSWERS);
    return seen < ANSWERS_MIN || this.#invalid <= INVALID_MAX * seen;
  }

  #add(isInvalid: 0 | 1): void {
    const at = this.#seen % ANSWERS;
    this.#invalid += isInvalid - this.#isInvalid[at]!;
    this.#isInvalid[at] = isInvalid;
    this.#seen += 1;
  }

  #startAnew(version: BaseModel): void {
    this.#version = version;
    this.#isInvalid.fill(0);
    this.#seen = 0;
    this.#invalid = 0;
  }
}
