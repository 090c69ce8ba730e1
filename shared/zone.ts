// Time zones: offsets, and where local days begin, right through daylight saving.

const DAY_MS = 86_400_000;
/** All offsets of zones since 1970 have changed on quarters of an hour. */
const OFFSET_STEP_MS = 900_000;
/** A clock moves on: of what was asked before, little is asked again. */
const KNOWN_MAX = 64;

/** Whether this is the name of an IANA time zone. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Days of a zone, numbered from 1970-01-01, each beginning at a time of day (ms after local midnight, below 24 h). */
export class LocalDays {
  readonly #timeOfDayMs: number;
  readonly #offsetAt: (utcMs: number) => number;
  readonly #starts = new Map<number, number>();

  constructor(zone: string, timeOfDayMs: number) {
    this.#timeOfDayMs = timeOfDayMs;
    this.#offsetAt = offsetReader(zone);
  }

  /** The day's first instant: where clocks skip its time of day, that of the jump; where they repeat it, the first. */
  startMs(day: number): number {
    const known = this.#starts.get(day);
    if (known !== undefined) return known;
    const startMs = this.#firstInstant(day * DAY_MS + this.#timeOfDayMs);
    if (this.#starts.size >= KNOWN_MAX) this.#starts.clear();
    this.#starts.set(day, startMs);
    return startMs;
  }

  /** The day that an instant lies in; beyond all days for infinities. */
  dayOf(utcMs: number): number {
    if (!Number.isFinite(utcMs)) return utcMs;
    let day = Math.floor((utcMs + this.#offsetAt(utcMs) - this.#timeOfDayMs) / DAY_MS);
    while (this.startMs(day) > utcMs) day -= 1;
    while (this.startMs(day + 1) <= utcMs) day += 1;
    return day;
  }

  #firstInstant(wallMs: number): number {
    const before = this.#offsetAt(wallMs - DAY_MS);
    const after = this.#offsetAt(wallMs + DAY_MS);
    if (before === after || this.#offsetAt(wallMs - before) === before) return wallMs - before;
    if (this.#offsetAt(wallMs - after) === after) return wallMs - after;
    return this.#jumpBetween(wallMs - after, wallMs - before);
  }

  // The instant from which on the offset is that at `untilMs`.
  #jumpBetween(fromMs: number, untilMs: number): number {
    const offset = this.#offsetAt(untilMs);
    let [low, high] = [fromMs, untilMs];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === offset) high = middle;
      else low = middle;
    }
    return high;
  }
}

/** Offset from UTC at an instant, in ms: local time minus UTC. Of an IANA zone; undefined: of this machine's. */
export function offsetReader(zone: string | undefined): (utcMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    ...(zone === undefined ? {} : { timeZone: zone }),
    ...{ hourCycle: "h23", era: "short" },
    ...{ year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  const known = new Map<number, number>();
  return (utcMs) => {
    const step = Math.floor(utcMs / OFFSET_STEP_MS);
    const remembered = known.get(step);
    if (remembered !== undefined) return remembered;
    const offset = offsetIn(format, step * OFFSET_STEP_MS);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(step, offset);
    return offset;
  };
}

function offsetIn(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts = new Map(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const [hour, minute, second] = [part("hour"), part("minute"), part("second")];
  return Date.UTC(part("year"), part("month") - 1, part("day"), hour, minute, second) - utcMs;
}
