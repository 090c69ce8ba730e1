// A change of the world at a known time, so that whoever looks for it can be judged.

import { z } from "zod";
import { durationWithin, shareWithin } from "../../shared/task/units.js";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const kinds = ["concept", "data", "both"] as const;

/** What changes: what sensor values mean, what sensors say, or both. */
export type DriftKind = (typeof kinds)[number];

/** What happens to a pump for good, at an event time. */
export interface PumpChange {
  readonly atMs: number;
  readonly kind: DriftKind;
}

/** `drift` of a generator's parameters. */
export const driftParams = z.strictObject({
  /** Event time since the first reading. */
  at: durationWithin({ min: HOUR_MS, max: 365 * DAY_MS }),
  kind: z.enum(kinds).prefault("concept"),
  /** How many of them, the first ones, or which share. */
  pumps: z
    .union(
      [z.int().min(1).max(1_000_000), shareWithin({ min: 0, max: 1 }).transform((share) => ({ share }))],
      {
        error: "expected a number of pumps, or a percentage such as 50%",
      },
    )
    .prefault("100%"),
});

/** Drift as asked for. */
export type DriftParams = z.output<typeof driftParams>;

/** True when this device, counted from 0 among `devices`, changes. */
export function isChanged({ pumps }: DriftParams, index: number, devices: number): boolean {
  return index < (typeof pumps === "number" ? pumps : Math.round(pumps.share * devices));
}
