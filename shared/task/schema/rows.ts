// `rows`: which rows become examples, how many are kept, and who they are for.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import type { SplitSpec, TestSpec, ValidationSpec } from "../task.js";
import { bytesWithin, durationMs, durationWithin, shareWithin } from "../units.js";
import { instant } from "./instant.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const TEST_RULE =
  'expected "none", "given", {from: date}, {last: 20%, of: 30d}, {by: session, share: 20%} or {by: entity, share: 20%}';

const testShare = shareWithin({ min: 0.01, max: 0.5 });

const test = z
  .union(
    [
      z.enum(["none", "given"]).transform((kind) => ({ kind })),
      z.strictObject({ from: instant }).transform(({ from }) => ({ kind: "from" as const, fromMs: from })),
      z
        .strictObject({
          last: testShare.describe(
            "The last share of every block of time: a stream has no end to count from.",
          ),
          of: durationMs.optional().describe("Length of a block. Default: ten gaps, at least ten days."),
        })
        .transform(({ last, of }) => ({ kind: "last" as const, share: last, block: of })),
      z
        .strictObject({
          by: z.enum(["session", "entity"]).describe("Whole sessions of an entity, or whole entities."),
          share: testShare.prefault("20%"),
          pause: durationMs
            .optional()
            .describe("session: a pause longer than this ends one. Default: the gap, at least 30m."),
        })
        .refine(({ by, pause }) => by === "session" || pause === undefined, {
          error: "goes with by: session",
          path: ["pause"],
        })
        .transform(({ by, share, pause }) =>
          by === "entity" ? { kind: by, share } : { kind: by, share, pause },
        ),
    ],
    { error: TEST_RULE },
  )
  .prefault("none")
  .describe(
    "Test rows: from a date on (UTC), the end of every block of time, whole sessions or entities, given by the data, or none. Never trained on, never seen by the gate.",
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
    .describe(
      "Examples this close to another side's are left out. Default: how far the label looks ahead and the features look back.",
    ),
});

const keep = z.strictObject({
  ring: z
    .int()
    .min(1)
    .max(10_000_000)
    .prefault(50_000)
    .describe("Most examples a device keeps; the oldest go first."),
  reservoir: z
    .int()
    .min(0)
    .max(1_000_000)
    .prefault(0)
    .describe("Train examples kept of all that have left the ring, each with the same chance."),
  balance: z
    .enum(["none", "class"])
    .prefault("none")
    .describe("class: the reservoir keeps as many of every class."),
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

/**
 * The split with its gap and blocks settled; `reachMs` is how far the label looks ahead and the features look back
 * together.
 */
export function settleSplit(split: z.output<typeof rows>["split"], reachMs: number): SplitSpec {
  const gapMs = split.gap ?? reachMs;
  return {
    test: settleTest(split.test, gapMs),
    validation: settleValidation(split.validation, gapMs),
    gapMs,
  };
}

// Every stretch of test rows loses up to a gap at both ends, so blocks are long against it.
function settleTest(test: z.output<typeof split>["test"], gapMs: number): TestSpec {
  switch (test.kind) {
    case "last":
      return {
        kind: "last",
        share: test.share,
        blockMs: test.block ?? Math.max(10 * DAY_MS, 10 * gapMs),
      };
    case "session":
      return { kind: "session", share: test.share, pauseMs: test.pause ?? Math.max(30 * MINUTE_MS, gapMs) };
    case "entity":
      return { kind: "entity", share: test.share };
    case "from":
    case "given":
    case "none":
      return test;
    default:
      return unreachable(test);
  }
}

// Each block loses up to a gap at both ends, so blocks are long against the gap.
function settleValidation({ share, by, block }: z.output<typeof validation>, gapMs: number): ValidationSpec {
  return { share, by, blockMs: block ?? Math.max(DAY_MS, 10 * gapMs) };
}
