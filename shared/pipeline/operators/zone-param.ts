// How a task names a time zone.

import { z } from "zod";
import { isZone } from "../../zone.js";

/** An IANA zone that this machine knows. */
export const zoneParam = z
  .string()
  .refine(isZone, { error: "expected an IANA time zone, such as Europe/Berlin" })
  .optional()
  .describe("IANA time zone, such as Europe/Berlin. Default: UTC.");
