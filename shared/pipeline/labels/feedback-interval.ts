// Answers about stretches of time: what somebody was doing, or what state a machine was in, from when to when.

import type { IntervalMatch } from "../../task/task.js";
import type { Saved } from "../state.js";
import type { FeatureRow } from "../types.js";
import { type AnswerOptions, AnswerReader } from "./answer.js";
import type { LabelBook, Progress, Verdict } from "./book.js";
import type { HeardLabel } from "./labeller.js";
import { Timeline } from "./timeline.js";

/** Stretches over one row that are weighed: those said last. More have been corrected many times over. */
const MAX_OVERLAP = 64;

interface Stretch {
  /** Its start. */
  readonly timeMs: number;
  readonly untilMs: number;
  readonly saidMs: number;
  readonly label: number;
  isUsed: boolean;
}

/** What an interval book is made from. */
export interface IntervalOptions extends AnswerOptions {
  readonly match: IntervalMatch;
  /** A row covers [t, t + spanMs); 0: the moment t. */
  readonly spanMs: number;
}

/**
 * At every moment of a row the stretch said last over it counts. The label that covers most of the row is the row's,
 * if it covers at least `purity` of it; of two that cover as much, the lower.
 */
export class IntervalBook implements LabelBook {
  readonly reachMs: number;
  readonly #options: IntervalOptions;
  readonly #reader: AnswerReader;
  readonly #stretches: Timeline<Stretch>;

  constructor(options: IntervalOptions) {
    this.#options = options;
    this.reachMs = options.spanMs;
    this.#reader = new AnswerReader(options);
    this.#stretches = new Timeline(options.counters);
  }

  see(): void {}

  expect(): void {}

  leave(): void {}

  hear(heard: HeardLabel): boolean {
    const [value, start, end] = heard.values;
    const { counters } = this.#options;
    if (typeof start !== "number" || typeof end !== "number" || !(start < end)) {
      counters.add("labels.bad-interval");
      return true;
    }
    const timeMs = Math.round(start * 1_000);
    const untilMs = Math.round(end * 1_000);
    if (this.#reader.isTooLate(untilMs, heard)) return true;
    // Said in time about its end; rows at its start have been decided.
    if (heard.watermarkMs >= this.#dueMs(timeMs)) counters.add("labels.partly-late");
    const label = this.#reader.read(value);
    if (label === undefined) return true;
    const { timeMs: saidMs } = heard;
    const same = (known: Stretch) =>
      known.untilMs === untilMs && known.saidMs === saidMs && known.label === label;
    if (this.#from(timeMs).some(same)) counters.add("labels.duplicate");
    else this.#stretches.add({ timeMs, untilMs, saidMs, label, isUsed: false });
    return true;
  }

  judge(row: FeatureRow, { watermarkMs, isEnd }: Progress): Verdict {
    if (!isEnd && watermarkMs < this.dueMs(row)) return undefined;
    const { spanMs, match } = this.#options;
    const lengthMs = Math.max(1, spanMs); // event time is in whole ms: a moment is one of them
    const over = this.#over(row.timeMs, row.timeMs + lengthMs);
    if (over.length === 0) return "labels.unlabelled";
    for (const stretch of over) stretch.isUsed = true;
    const { label, coveredMs } = longest(coverage(over, row.timeMs, row.timeMs + lengthMs));
    return coveredMs >= match.purity * lengthMs ? label : "labels.impure";
  }

  dueMs({ timeMs }: FeatureRow): number {
    return this.#dueMs(timeMs);
  }

  forget(floorMs: number): void {
    const over = this.#stretches.removeBefore(floorMs, ({ untilMs }) => untilMs <= floorMs);
    const unused = over.filter(({ isUsed }) => !isUsed).length;
    if (unused > 0) this.#options.counters.add("labels.unmatched", unused);
  }

  staleMs(): number {
    const oldest = this.#stretches.items[0];
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.untilMs;
  }

  save(): Saved {
    return this.#stretches.items;
  }

  restore(saved: Saved): void {
    for (const stretch of saved as readonly Stretch[]) this.#stretches.add(stretch); // as `save` made it
  }

  #dueMs(timeMs: number): number {
    return timeMs + this.#options.spanMs + this.#options.label.waitMs + 1;
  }

  #from(timeMs: number): readonly Stretch[] {
    const { items } = this.#stretches;
    const first = this.#stretches.indexFrom(timeMs);
    return items.slice(first, this.#stretches.indexFrom(timeMs + 1));
  }

  // Said last first.
  #over(fromMs: number, untilMs: number): readonly Stretch[] {
    return this.#stretches.items
      .slice(0, this.#stretches.indexFrom(untilMs))
      .filter((stretch) => stretch.untilMs > fromMs)
      .toReversed()
      .sort(
        (a, b) => b.saidMs - a.saidMs || b.timeMs - a.timeMs || b.untilMs - a.untilMs || a.label - b.label,
      )
      .slice(0, MAX_OVERLAP);
  }
}

// Between two borders that follow each other, one stretch counts throughout: the first in `over` that covers it.
function coverage(over: readonly Stretch[], fromMs: number, untilMs: number): ReadonlyMap<number, number> {
  const inside = over.flatMap((stretch) => [stretch.timeMs, stretch.untilMs]);
  const borders = [fromMs, ...inside.filter((ms) => ms > fromMs && ms < untilMs), untilMs].sort(
    (a, b) => a - b,
  );
  const covered = new Map<number, number>();
  for (let i = 1; i < borders.length; i++) {
    const [start, end] = [borders[i - 1]!, borders[i]!];
    const stretch = over.find(({ timeMs, untilMs }) => timeMs <= start && untilMs >= end);
    if (stretch !== undefined) covered.set(stretch.label, (covered.get(stretch.label) ?? 0) + end - start);
  }
  return covered;
}

function longest(covered: ReadonlyMap<number, number>): {
  readonly label: number;
  readonly coveredMs: number;
} {
  let best = { label: 0, coveredMs: 0 };
  for (const [label, coveredMs] of covered) {
    if (coveredMs > best.coveredMs || (coveredMs === best.coveredMs && label < best.label))
      best = { label, coveredMs };
  }
  return best;
}
