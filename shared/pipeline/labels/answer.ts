// What an answer says, as a label.

import type { Counters } from "../../counters.js";
import type { FeedbackLabel, OutputSpec } from "../../task/task.js";
import type { Value } from "../types.js";
import { numberOf } from "./codes.js";
import { countDelay } from "./delay.js";
import type { HeardLabel } from "./labeller.js";
import { fitsOutput } from "./target.js";

/** What a book of answers is made from. */
export interface AnswerOptions {
  readonly label: FeedbackLabel;
  /** Texts of the field, in the order of their numbers. */
  readonly words: readonly string[];
  readonly output: OutputSpec;
  readonly counters: Counters;
}

/** Reads answers; what is none, or comes too late, is counted. */
export class AnswerReader {
  readonly #output: OutputSpec;
  readonly #counters: Counters;
  readonly #waitMs: number;
  /** Number of the field -> class; undefined: the number is the label. */
  readonly #classes: ReadonlyMap<number, number> | undefined;

  constructor({ label, words, output, counters }: AnswerOptions) {
    this.#output = output;
    this.#counters = counters;
    this.#waitMs = label.waitMs;
    this.#classes = label.classes && new Map(classEntries(label.classes, words));
  }

  /** The label, or undefined. */
  read(value: Value | undefined): number | undefined {
    if (typeof value !== "number") return this.#refuse("missing");
    const label = this.#classes === undefined ? value : this.#classes.get(value);
    if (label === undefined || !fitsOutput(label, this.#output)) return this.#refuse("not-a-class");
    return label;
  }

  /** True when what is said about `aboutMs` can no longer change anything. */
  isTooLate(aboutMs: number, { watermarkMs, nowMs }: HeardLabel): boolean {
    countDelay(this.#counters, nowMs - aboutMs);
    if (watermarkMs <= aboutMs + this.#waitMs) return false;
    this.#counters.add("labels.too-late");
    return true;
  }

  #refuse(reason: string): undefined {
    this.#counters.add(`labels.${reason}`);
    return undefined;
  }
}

function* classEntries(
  classes: NonNullable<FeedbackLabel["classes"]>,
  words: readonly string[],
): Iterable<readonly [number, number]> {
  for (const [index, code] of classes.entries()) {
    const number = numberOf(code, words);
    if (number !== undefined) yield [number, index];
  }
}
