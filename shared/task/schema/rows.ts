// `rows`: which rows become examples, how many are kept, and who they are for.

import { z } from "zod";
import type { SplitSpec, ValidationSpec } from "../task.js";
import { bytesWithin, durationMs, durationWithin, shareWithin } from "../units.js";
import { instant } from "./instant.js";

const DAY_MS = 86_400_000;

const test = z
  .union([z.enum(["none", "given"]), z.strictObject({ from: instant })], {
    error: 'expected "none", "given" or {from: date}',
  })
  .prefault("none")
  .transform((value): SplitSpec["test"] =>
    typeof value === "string" ? { kind: value } : { kind: "from", fromMs: value.from },
  )
  .describe(
    "Test rows: from a date on (UTC), given by the data, or none. Never trained on, never seen by the gate.",
  );

const heldOut = shareWithin({ min: 0, max: 0.5 });

const validation = z
  .union(
    [
      heldOut.transform((share) => ({ share, by: "time" as const, block: undefined })),
      z.strictObject({
        share: heldOut.prefault("10%"),
        by: z
          .enum(["time", "entity", "example"])
          .prefault("time")
          .describe("Whole blocks of time, whole entities, or single examples."),
        block: durationMs
          .optional()
          .describe("Length of a block of time. Default: ten gaps, at least one day."),
      }),
    ],
    { error: "expected a percentage such as 10%, or {share, by, block}" },
  )
  .prefault("10%")
  .describe("Examples kept back for the gate and the stop rule.");

const split = z.strictObject({
  test,
  validation,
  gap: durationWithin({ min: 0, max: 366 * DAY_MS })
    .optional()
    .describe("Examples this close to another side's are left out. Default: how far the label looks ahead."),
});

const keep = z.strictObject({
  ring: z
    .int()
    .min(1)
    .max(10_000_000)
    .prefault(50_000)
    .describe("Most examples a device keeps; the oldest go first."),
  size: bytesWithin({ min: 65_536, max: 1e11 }).prefault("256MiB").describe("Most bytes of examples."),
  age: durationMs.optional().describe("Oldest example kept, by event time. Default: no limit."),
});

const shape = z.strictObject({
  every: durationMs.optional().describe("At most one example per this much event time. Default: every row."),
  keep: keep.prefault({}).describe("Bounds of the example store on the device."),
  split: split.prefault({}).describe("Which examples train, validate and test."),
});

/** Examples, as written: the split is settled once the label is known. */
export const rows = shape.prefault({}).describe("Which rows become examples.");

/** The split with its gap and block settled; `aheadMs` is how far the label looks ahead. */
export function settleSplit(split: z.output<typeof rows>["split"], aheadMs: number): SplitSpec {
  const gapMs = split.gap ?? aheadMs;
  return { test: split.test, validation: settleValidation(split.validation, gapMs), gapMs };
}

// Each block loses up to a gap at both ends, so blocks are long against the gap.
function settleValidation({ share, by, block }: z.output<typeof validation>, gapMs: number): ValidationSpec {
  return { share, by, blockMs: block ?? Math.max(DAY_MS, 10 * gapMs) };
}
