// The clock that event times are judged by. A device without a battery-backed clock starts in the past; a replay runs
// through the years.

import type { Clock } from "../../shared/clock.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";

/** No device ran this before it was written: a clock that shows less has not been set yet. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** True when a machine's clock has been set. */
export function isSane(nowMs: number): boolean {
  return nowMs >= EARLIEST_MS;
}

interface Heard {
  readonly eventMs: number;
  /** By the machine's clock. */
  readonly heardMs: number;
}

/** Event time now: the machine's clock, or the newest event time and what has passed since, `speed` times as fast. */
export class EventClock implements Stateful {
  readonly #clock: Clock;
  readonly #speed: number | undefined;
  #newest: Heard | null = null;

  /**
   * `speed`: of a replay, event time per time; undefined for telemetry as it happens. Infinity: as fast as it can be
   * read, when what has passed since says nothing.
   */
  constructor(clock: Clock, speed: number | undefined) {
    this.#clock = clock;
    this.#speed = speed;
  }

  /** A reading with this event time has come in a message that arrived when the machine's clock showed `arrivalMs`. */
  heard(eventMs: number, arrivalMs: number = this.#clock.now()): void {
    if (this.#speed === undefined || eventMs <= (this.#newest?.eventMs ?? -Infinity)) return;
    this.#newest = { eventMs, heardMs: arrivalMs };
  }

  /**
   * When the machine's clock showed `machineMs`. Undefined while it is not known: then only data moves event time, and
   * nothing is too far in the future.
   */
  at(machineMs: number): number | undefined {
    if (this.#speed === undefined) return isSane(machineMs) ? machineMs : undefined;
    if (this.#speed === Number.POSITIVE_INFINITY) return undefined;
    return this.#newest ? this.#newest.eventMs + (machineMs - this.#newest.heardMs) * this.#speed : undefined;
  }

  /** As `at`, now. */
  readonly now = (): number | undefined => this.at(this.#clock.now());

  save(): Saved {
    return this.#newest;
  }

  /** Takes up what `save` gave, at any time; null: nothing has been heard. */
  restore(saved: Saved): void {
    this.#newest = saved as Heard | null; // as `save` made it
  }
}
