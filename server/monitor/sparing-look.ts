// A look at the whole fleet that many may ask for at once: dashboards, scrapes, scripts.

import type { Clock } from "../../shared/clock.js";

/** A look is taken again after so many times what it took: it costs a hundredth of a core at most... */
const REST_PER_LOOK = 99;
/** ...unless that were longer than this. */
const REST_MAX_MS = 1_000;

/** What a look at the fleet saw, at most a second ago. Where looking is cheap, it is looked at for everybody who asks. */
export class SparingLook<Value> {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #look: () => Value;
  #seen: { readonly value: Value; readonly about: unknown; readonly untilMs: number } | undefined;

  constructor(clock: Pick<Clock, "elapsed">, look: () => Value) {
    this.#clock = clock;
    this.#look = look;
  }

  /** `about` is what was looked at, by identity: what was seen of another is never told. */
  see(about?: unknown): Value {
    const seen = this.#seen;
    const beganMs = this.#clock.elapsed();
    if (seen !== undefined && seen.about === about && beganMs < seen.untilMs) return seen.value;
    const value = this.#look();
    const endedMs = this.#clock.elapsed();
    const restMs = Math.min(REST_MAX_MS, REST_PER_LOOK * (endedMs - beganMs));
    this.#seen = { value, about, untilMs: endedMs + restMs };
    return value;
  }
}
