// Virtual time: events happen in order of time, then of scheduling. Same events, same order, on every machine.

import { assert } from "../shared/assert.js";
import { type Cancel, type Clock, systemClock } from "../shared/clock.js";
import { Heap } from "../shared/pipeline/heap.js";
import { RejectionTrap } from "./rejections.js";

interface TimerEvent {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once cancelled: what it holds on to is let go at once, not when its time has come. */
  action: (() => unknown) | undefined;
}

/** When a run ends, whichever comes first. */
export interface RunLimits {
  /** Asked before every event. */
  readonly until?: () => boolean;
  /** Virtual time at which the run ends. */
  readonly horizonMs?: number;
  /** Most events: what keeps time from passing would go on for ever. */
  readonly maxEvents?: number;
}

/** Why a run ended: `until` held, horizon or event limit was reached, or nothing was left to happen. */
export type RunEnd = "until" | "horizon" | "max-events" | "idle";

/** How a virtual clock is made. */
export interface VirtualClockOptions {
  readonly startMs: number;
  /** Called after every event: the place for a checker. */
  readonly afterEach?: () => void;
  /** True for errors that are part of the simulation, as those of killed processes. */
  readonly isExpected?: (error: unknown) => boolean;
}

/** A clock whose time passes only while it runs. */
export class VirtualClock implements Clock {
  readonly #events = new Heap<TimerEvent>((a, b) =>
    a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs,
  );
  readonly #afterEach: () => void;
  readonly #isExpected: (error: unknown) => boolean;
  #nowMs: number;
  #order = 0;
  #fault: { readonly error: unknown } | undefined;

  constructor({ startMs, afterEach, isExpected }: VirtualClockOptions) {
    this.#nowMs = startMs;
    this.#afterEach = afterEach ?? (() => undefined);
    this.#isExpected = isExpected ?? (() => false);
  }

  now(): number {
    return this.#nowMs;
  }

  elapsed(): number {
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

  /** Lets events happen. Rejects with what an action threw, or with a rejection that nobody handled. */
  async run(limits: RunLimits = {}): Promise<RunEnd> {
    const trap = new RejectionTrap((error) => this.#note(error));
    try {
      await this.#settle();
      return await this.#run(limits);
    } finally {
      trap.release();
    }
  }

  async #run({
    until = () => false,
    horizonMs = Number.POSITIVE_INFINITY,
    maxEvents = Number.POSITIVE_INFINITY,
  }: RunLimits): Promise<RunEnd> {
    for (let happened = 0; ; ) {
      if (until()) return "until";
      const event = this.#events.peek();
      if (event === undefined) return "idle";
      if (event.atMs > horizonMs) {
        this.#nowMs = Math.max(this.#nowMs, horizonMs);
        return "horizon";
      }
      if (happened >= maxEvents) return "max-events";
      this.#events.pop();
      if (event.action === undefined) continue;
      await this.#happen(event.atMs, event.action);
      happened++;
    }
  }

  async #happen(atMs: number, action: () => unknown): Promise<void> {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    try {
      await action();
    } catch (error) {
      this.#note(error);
    }
    await this.#settle();
    this.#afterEach();
  }

  /** One real turn of the event loop settles every promise that waits for nothing real. */
  async #settle(): Promise<void> {
    await systemClock.turn();
    if (this.#fault === undefined) return;
    const { error } = this.#fault;
    this.#fault = undefined;
    throw error;
  }

  #note(error: unknown): void {
    if (!this.#isExpected(error)) this.#fault ??= { error };
  }

  #schedule(delayMs: number, action: () => unknown): Cancel {
    assert(Number.isFinite(delayMs), `a delay of ${delayMs} ms is no delay`);
    const event: TimerEvent = {
      // Whole milliseconds, as the machine's clock.
      atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)),
      order: this.#order++,
      action,
    };
    this.#events.push(event);
    return () => {
      event.action = undefined;
    };
  }
}
