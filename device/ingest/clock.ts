// The clock that event times are judged by. A device without a battery-backed clock starts in the past; a replay runs
// through the years.

import type { Clock } from "../../shared/clock.js";

/** No device ran this before it was written: a clock that shows less has not been set yet. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** True when a machine's clock has been set. */
export function isSane(nowMs: number): boolean {
  return nowMs >= EARLIEST_MS;
}

/** Event time now: the machine's clock, or the newest event time and what has passed since, `speed` times as fast. */
export class EventClock {
  readonly #clock: Clock;
  readonly #speed: number | undefined;
  #newest: { readonly eventMs: number; readonly heardMs: number } | undefined;

  /**
   * `speed`: of a replay, event time per time; undefined for telemetry as it happens. Infinity: as fast as it can be
   * read, when what has passed since says nothing.
   */
  constructor(clock: Clock, speed: number | undefined) {
    this.#clock = clock;
    this.#speed = speed;
  }

  /** A reading with this event time has come. */
  heard(eventMs: number): void {
    if (this.#speed === undefined || eventMs <= (this.#newest?.eventMs ?? -Infinity)) return;
    this.#newest = { eventMs, heardMs: this.#clock.now() };
  }

  /** Undefined while it is not known: then only data moves event time, and nothing is too far in the future. */
  readonly now = (): number | undefined => {
    const nowMs = this.#clock.now();
    if (this.#speed === undefined) return isSane(nowMs) ? nowMs : undefined;
    if (this.#speed === Infinity) return undefined;
    return this.#newest && this.#newest.eventMs + (nowMs - this.#newest.heardMs) * this.#speed;
  };
}
