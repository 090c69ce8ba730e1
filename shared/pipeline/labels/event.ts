// Labels from events: failures to come, told from none to come, and from not knowing.

import type { Counters } from "../../counters.js";
import type { EventLabel } from "../../task/task.js";
import type { Saved } from "../state.js";
import type { FeatureRow, PipelineRow } from "../types.js";
import type { LabelBook, Progress, Verdict } from "./book.js";
import { numberOf } from "./codes.js";
import { countDelay } from "./delay.js";
import type { HeardLabel } from "./labeller.js";
import { Timeline } from "./timeline.js";

type Kind = "positive" | "censor" | "silence";

interface Event {
  readonly timeMs: number;
  readonly kind: Kind;
  /** It has decided at least one row. */
  isUsed: boolean;
}

/** What an event book is made from. */
export interface EventBookOptions {
  readonly label: EventLabel;
  /** Texts of the field, in the order of their numbers. */
  readonly words: readonly string[];
  readonly silenceMs: number;
  readonly counters: Counters;
}

/**
 * A row at t is 1 when a positive event falls in (t, t + horizon]. It is 0 only when the watermark has passed
 * t + horizon + wait without one, no censoring event fell in that time, and the entity was observed throughout: rows were
 * measured up to t + horizon, without a pause longer than `silence`. Otherwise nothing is known (right censoring, Kaplan
 * and Meier 1958), and the row is counted instead.
 */
export class EventBook implements LabelBook {
  readonly reachMs: number;
  readonly #label: EventLabel;
  readonly #silenceMs: number;
  readonly #counters: Counters;
  readonly #kinds = new Map<number, Kind>();
  readonly #events: Timeline<Event>;
  /** Event time of the newest measured row. */
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor({ label, words, silenceMs, counters }: EventBookOptions) {
    this.#label = label;
    this.#silenceMs = silenceMs;
    this.#counters = counters;
    this.reachMs = label.horizonMs;
    this.#events = new Timeline(counters);
    const enter = (kind: Kind) => (code: string | number) => {
      const number = numberOf(code, words);
      if (number !== undefined) this.#kinds.set(number, kind);
    };
    label.censor.forEach(enter("censor"));
    label.positive.forEach(enter("positive"));
  }

  see(row: PipelineRow): void {
    if (!isMeasured(row)) return;
    if (row.timeMs - this.#seenMs > this.#silenceMs && this.#seenMs > Number.NEGATIVE_INFINITY)
      this.#events.add({ timeMs: this.#seenMs + 1, kind: "silence", isUsed: true });
    this.#seenMs = row.timeMs;
  }

  expect(): void {}

  leave(): void {}

  hear({ timeMs, values: [code], watermarkMs, nowMs }: HeardLabel): boolean {
    const kind = typeof code === "number" ? this.#kinds.get(code) : undefined;
    if (kind === undefined) {
      this.#counters.add(code === null ? "labels.missing" : "labels.other");
      return true;
    }
    countDelay(this.#counters, nowMs - timeMs);
    // Rows that had to be decided without it stay as they are; those that still wait know it.
    if (watermarkMs > timeMs + this.#label.waitMs) this.#counters.add("labels.too-late");
    if (this.#knows(timeMs, kind)) this.#counters.add("labels.duplicate");
    else this.#events.add({ timeMs, kind, isUsed: false });
    return true;
  }

  judge({ timeMs }: FeatureRow, { watermarkMs, promisedMs, isEnd }: Progress): Verdict {
    const { horizonMs, waitMs, excludeMs } = this.#label;
    const untilMs = timeMs + horizonMs;
    if (!isEnd && watermarkMs <= timeMs + waitMs) return undefined;
    if (this.#use(timeMs - excludeMs + 1, timeMs, isReported)) return "labels.excluded";
    if (this.#use(timeMs + 1, untilMs, isPositive)) return 1;
    if (!isEnd && watermarkMs <= untilMs + waitMs) return undefined;
    if (this.#use(timeMs + 1, untilMs, isCensor)) return "labels.censored";
    if (this.#use(timeMs + 1, untilMs, isSilence)) return "labels.silent";
    if (this.#seenMs >= untilMs) return 0;
    if (isEnd) return "labels.unripe";
    // Whatever comes next comes after too long a pause.
    return promisedMs > this.#seenMs + this.#silenceMs ? "labels.silent" : undefined;
  }

  dueMs({ timeMs }: FeatureRow): number {
    const { horizonMs, waitMs } = this.#label;
    const untilMs = timeMs + horizonMs;
    if (this.#find(timeMs + 1, untilMs, isPositive) !== undefined) return timeMs + waitMs + 1;
    const observedMs = this.#seenMs >= untilMs ? untilMs : this.#seenMs + this.#silenceMs;
    return Math.max(untilMs + waitMs, observedMs) + 1;
  }

  forget(floorMs: number): void {
    const { excludeMs } = this.#label;
    const over = this.#events.removeBefore(floorMs + 1, (event) => event.timeMs + excludeMs <= floorMs);
    const unused = over.filter(({ isUsed }) => !isUsed).length;
    if (unused > 0) this.#counters.add("labels.unmatched", unused);
  }

  staleMs(): number {
    const oldest = this.#events.items[0];
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.timeMs + this.#label.excludeMs + 1;
  }

  save(): Saved {
    const saved: SavedBook = { events: this.#events.items, seenMs: this.#seenMs };
    return saved;
  }

  restore(saved: Saved): void {
    const { events, seenMs } = saved as SavedBook; // as `save` made it
    for (const event of events) this.#events.add(event);
    this.#seenMs = seenMs;
  }

  #knows(timeMs: number, kind: Kind): boolean {
    return this.#find(timeMs, timeMs, (event) => event.kind === kind) !== undefined;
  }

  // Marks all that decide: an event before which no row waits decides none.
  #use(fromMs: number, untilMs: number, isWanted: (event: Event) => boolean): boolean {
    const event = this.#find(fromMs, untilMs, isWanted);
    if (event !== undefined) event.isUsed = true;
    return event !== undefined;
  }

  #find(fromMs: number, untilMs: number, isWanted: (event: Event) => boolean): Event | undefined {
    const { items } = this.#events;
    for (let at = this.#events.indexFrom(fromMs); at < items.length; at++) {
      const event = items[at]!;
      if (event.timeMs > untilMs) return undefined;
      if (isWanted(event)) return event;
    }
    return undefined;
  }
}

interface SavedBook {
  readonly events: readonly Event[];
  readonly seenMs: number;
}

const isPositive = ({ kind }: Event) => kind === "positive";
const isCensor = ({ kind }: Event) => kind === "censor";
const isSilence = ({ kind }: Event) => kind === "silence";
const isReported = ({ kind }: Event) => kind !== "silence";

// A row of held values says nothing of the entity.
function isMeasured({ values, filled }: PipelineRow): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== null && filled?.[i] !== true) return true;
  return false;
}
