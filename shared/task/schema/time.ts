// `time`: where a message's event time is.

import { z } from "zod";
import type { TimeSpec } from "../decode-spec.js";

const ZONE_RULE = "expected the IANA name of a time zone such as Europe/Berlin";

/** A time zone by its IANA name. */
export const zone = z.string({ error: ZONE_RULE }).max(64).refine(isZone, { error: ZONE_RULE });

const timeField = z
  .strictObject({
    field: z.string().min(1).max(256).prefault("ts").describe("Where in the message the event time is."),
    unit: z
      .enum(["s", "ms", "us", "ns", "iso", "local"])
      .prefault("s")
      .describe(
        "Seconds, milliseconds, microseconds or nanoseconds since the Unix epoch, ISO 8601 text with its zone, or local text without one.",
      ),
    zone: zone.optional().describe("local: the zone it is in. Default: that of this machine."),
  })
  .refine(({ unit, zone }) => zone === undefined || unit === "local", {
    error: "goes with unit: local",
    path: ["zone"],
  })
  .transform((field): TimeSpec => ({ kind: "field", ...field }));

/** Event time, as written. */
export const time = z.union(
  [z.enum(["arrival", "message"]).transform((kind): TimeSpec => ({ kind })), timeField],
  { error: 'expected "arrival", "message", or a field and its unit' },
);

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
