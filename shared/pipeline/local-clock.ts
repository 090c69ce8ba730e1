// What the clock on the wall shows, as numbers that UTC arithmetic works on.

import { offsetReader } from "../zone.js";

const DAY_MS = 86_400_000;

/** Local time of an IANA zone, right through daylight saving; UTC without one. */
export class LocalClock {
  readonly #offsetAt: (utcMs: number) => number;
  // The last day (UTC) asked about, and its offset when it is the same all day: so on all days but two a year.
  #day = Number.NaN;
  #offsetMs: number | undefined = 0;

  constructor(zone: string | undefined) {
    this.#offsetAt = zone === undefined ? () => 0 : offsetReader(zone);
  }

  /** The wall's time as if it were UTC. */
  localMs(utcMs: number): number {
    const day = Math.floor(utcMs / DAY_MS);
    if (day !== this.#day) this.#look(day);
    return utcMs + (this.#offsetMs ?? this.#offsetAt(utcMs));
  }

  // Offsets never change and change back within a day.
  #look(day: number): void {
    const first = this.#offsetAt(day * DAY_MS);
    const last = this.#offsetAt((day + 1) * DAY_MS - 1);
    this.#day = day;
    this.#offsetMs = first === last ? first : undefined;
  }
}
