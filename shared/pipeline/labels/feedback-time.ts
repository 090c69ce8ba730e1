// Answers by the event time they are about.

import type { Saved } from "../state.js";
import type { FeatureRow } from "../types.js";
import { type AnswerOptions, AnswerReader } from "./answer.js";
import type { LabelBook, Progress, Verdict } from "./book.js";
import type { HeardLabel } from "./labeller.js";
import { Timeline } from "./timeline.js";

interface Answer {
  readonly timeMs: number;
  label: number;
  isUsed: boolean;
}

/**
 * The answer for exactly the row's time is its label; no neighbour is taken instead. Nothing tells when it was said, so of
 * several answers the last to come counts.
 */
export class TimeBook implements LabelBook {
  readonly reachMs = 0;
  readonly #reader: AnswerReader;
  readonly #options: AnswerOptions;
  readonly #answers: Timeline<Answer>;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#reader = new AnswerReader(options);
    this.#answers = new Timeline(options.counters);
  }

  see(): void {}

  expect(): void {}

  leave(): void {}

  hear(heard: HeardLabel): boolean {
    const { timeMs } = heard;
    if (this.#reader.isTooLate(timeMs, heard)) return true;
    const label = this.#reader.read(heard.values[0]);
    if (label === undefined) return true;
    const known = this.#at(timeMs);
    if (known === undefined) this.#answers.add({ timeMs, label, isUsed: false });
    else known.label = label;
    return true;
  }

  judge(row: FeatureRow, { watermarkMs, isEnd }: Progress): Verdict {
    if (!isEnd && watermarkMs < this.dueMs(row)) return undefined;
    const answer = this.#at(row.timeMs);
    if (answer === undefined) return "labels.unlabelled";
    answer.isUsed = true;
    return answer.label;
  }

  dueMs({ timeMs }: FeatureRow): number {
    return timeMs + this.#options.label.waitMs + 1;
  }

  forget(floorMs: number): void {
    const unused = this.#answers.removeBefore(floorMs, () => true).filter(({ isUsed }) => !isUsed).length;
    if (unused > 0) this.#options.counters.add("labels.unmatched", unused);
  }

  staleMs(): number {
    const oldest = this.#answers.items[0];
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.timeMs + 1;
  }

  save(): Saved {
    return this.#answers.items;
  }

  restore(saved: Saved): void {
    for (const answer of saved as readonly Answer[]) this.#answers.add(answer); // as `save` made it
  }

  #at(timeMs: number): Answer | undefined {
    const answer = this.#answers.items[this.#answers.indexFrom(timeMs)];
    return answer?.timeMs === timeMs ? answer : undefined;
  }
}
