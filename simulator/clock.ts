// Virtual time: events happen in order of time, then of scheduling. Same events, same order, on every machine.

import { type Cancel, type Clock, systemClock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import { Heap } from "../shared/pipeline/heap.js";

interface TimerEvent {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => unknown;
  isCancelled: boolean;
}

/** When a run ends, whichever comes first. */
export interface RunLimits {
  /** Asked after every event. */
  readonly until?: () => boolean;
  /** Virtual time at which the run ends. */
  readonly horizonMs?: number;
}

/** Why a run ended: `until` held, the horizon was reached, or nothing was left to happen. */
export type RunEnd = "until" | "horizon" | "idle";

/** A clock whose time passes only while it runs. */
export class VirtualClock implements Clock {
  readonly #events = new Heap<TimerEvent>((a, b) =>
    a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs,
  );
  readonly #afterEach: () => void;
  #nowMs: number;
  #order = 0;

  /** `afterEach` is called after every event: the place for a checker. */
  constructor(options: { readonly startMs: number; readonly afterEach?: () => void }) {
    this.#nowMs = options.startMs;
    this.#afterEach = options.afterEach ?? (() => undefined);
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Cancel {
    return this.#schedule(delayMs, () => {
      action();
    });
  }

  /** As `after`, and no later event happens before the action's promise has settled. */
  afterAwaiting(delayMs: number, action: () => Promise<void>): Cancel {
    return this.#schedule(delayMs, action);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.after(0, resolve));
  }

  /** Lets events happen. Rejects with what an action threw. */
  async run({ until = () => false, horizonMs = Number.POSITIVE_INFINITY }: RunLimits = {}): Promise<RunEnd> {
    await systemClock.turn();
    for (;;) {
      if (until()) return "until";
      const event = this.#events.peek();
      if (event === undefined) return "idle";
      if (event.atMs > horizonMs) {
        this.#nowMs = horizonMs;
        return "horizon";
      }
      this.#events.pop();
      if (!event.isCancelled) await this.#happen(event);
    }
  }

  async #happen(event: TimerEvent): Promise<void> {
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    await event.action();
    // One real turn of the event loop settles every promise that waits for nothing real.
    await systemClock.turn();
    this.#afterEach();
  }

  #schedule(delayMs: number, action: () => unknown): Cancel {
    if (!Number.isFinite(delayMs)) throw new HeadwaterError("aborted", `a delay of ${delayMs} ms is no delay`);
    const event: TimerEvent = {
      // Whole milliseconds, as the machine's clock.
      atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)),
      order: this.#order++,
      action,
      isCancelled: false,
    };
    this.#events.push(event);
    return () => {
      event.isCancelled = true;
    };
  }
}
