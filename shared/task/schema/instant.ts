// A point in time as authors write it.

import { z } from "zod";

const RULE = "expected a date (2016-03-01) or an ISO 8601 time with a zone (2016-03-01T12:00:00Z)";
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A date (UTC) or a time with its zone in the task, milliseconds since 1970 after parsing. */
export const instant = z
  .string({ error: RULE })
  .regex(INSTANT, { error: RULE })
  .refine((text) => !Number.isNaN(Date.parse(text)), { error: RULE })
  .transform((text) => Date.parse(text));
