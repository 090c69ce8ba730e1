// flag: what the calendar says of a time.

import { z } from "zod";
import { LocalClock } from "../local-clock.js";
import type { PipelineRow } from "../types.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";
import { zoneParam } from "./zone-param.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NIGHT_FROM_HOUR = 22;
const NIGHT_TO_HOUR = 6;
// Days are counted from 1970-01-01, a Thursday; 5 and 6 of a week that begins on Monday are its end.
const EPOCH_WEEKDAY = 3;
const SATURDAY = 5;

const calendarFlag = z.enum(["weekend", "night"]);
const dateRule = { error: 'expected a date in quotes, such as "2026-12-25"' };

const params = z
  .strictObject({
    calendar: z.array(calendarFlag).max(2).prefault([]),
    zone: zoneParam,
    holidays: z.array(z.iso.date(dateRule)).min(1).max(1_000).optional().describe("Local dates."),
  })
  .refine(({ calendar, holidays }) => calendar.length > 0 || holidays !== undefined, {
    error: "expected calendar, holidays or both",
  });

type Params = z.output<typeof params>;

/** 1 or 0: `weekend` (Saturday and Sunday), `night` (22:00 to 6:00), `holiday` (a listed date). By the clock of `zone`, or UTC. */
export const flag: FeatureOperator<Params> = {
  name: "flag",
  doc: 'Calendar flags, 0 or 1: {calendar: [weekend, night], zone: Europe/Berlin, holidays: ["2026-12-25"]}. Night is from 22:00 to 6:00; UTC unless a zone is given.',
  example: { params: { calendar: ["weekend", "night"], zone: "Europe/Berlin", holidays: ["2026-01-01"] } },
  params,
  neverMissing: true,
  reads: () => [],
  columns: ({ calendar, holidays }) => [...calendar, ...(holidays === undefined ? [] : ["holiday"])],
  create: (params) => new Flags(params),
  cost: () => FREE,
};

class Flags extends RowComputer {
  readonly #calendar: Params["calendar"];
  readonly #clock: LocalClock;
  readonly #holidays: ReadonlySet<number> | undefined;

  constructor({ calendar, zone, holidays }: Params) {
    super();
    this.#calendar = calendar;
    this.#clock = new LocalClock(zone);
    this.#holidays = holidays && new Set(holidays.map((date) => Date.parse(date) / DAY_MS));
  }

  push({ timeMs }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    const localMs = this.#clock.localMs(timeMs);
    const day = Math.floor(localMs / DAY_MS);
    let at = offset;
    for (const name of this.#calendar) {
      out[at++] = name === "weekend" ? isWeekend(day) : isNight(localMs - day * DAY_MS);
    }
    if (this.#holidays !== undefined) out[at] = this.#holidays.has(day) ? 1 : 0;
    return "complete";
  }
}

function isWeekend(day: number): 0 | 1 {
  // West of Greenwich, local time begins a day before 1970.
  return (day + 7 + EPOCH_WEEKDAY) % 7 >= SATURDAY ? 1 : 0;
}

function isNight(sinceMidnightMs: number): 0 | 1 {
  const hour = sinceMidnightMs / HOUR_MS;
  return hour < NIGHT_TO_HOUR || hour >= NIGHT_FROM_HOUR ? 1 : 0;
}
