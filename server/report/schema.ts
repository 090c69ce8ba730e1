// A run of a federation, as its report says it: for programs this object, for people the page made of it.

import { z } from "zod";
import { roundKindSchema } from "../../shared/wire/message.js";
import { selectionSchema } from "../http/schema.js";

const count = z.int().min(0);
const timeMs = z.int();

export const runReportSchema = z.object({
  v: z.literal(1),
  task: z.string(),
  madeMs: timeMs,
  metric: z.string().describe("what the gate looks at"),
  head: count.describe("newest version; 0: none"),
  stable: count.describe("version devices serve; 0: none"),
  devices: z.object({
    enrolled: count,
    reported: count.describe("ever"),
    drifting: count.describe("when the server was last alive, by reports that were not out of date"),
    quarantined: count,
  }),
  rounds: z
    .array(
      z.object({
        round: count,
        kind: roundKindSchema,
        outcome: z.enum(["open", "completed", "abandoned"]),
        openedMs: timeMs.nullable(),
        closedMs: timeMs.nullable(),
        version: count.nullable().describe("version it made"),
        members: count,
        accepted: count,
        rejected: count,
        value: z.number().nullable().describe("the metric, of the version an evaluate round has scored"),
        scored: count.nullable().describe("that version"),
        candidates: z
          .array(z.string())
          .describe(
            "while they are compared: the one it trained, or those it scored, of which `value` is of the first",
          ),
      }),
    )
    .describe("oldest first"),
  versions: z
    .array(z.object({ version: count, parent: count, bytes: count, createdMs: timeMs, sha256: z.string() }))
    .describe("those kept, oldest first"),
  selection: selectionSchema.nullable().describe("how the task's candidates did; null: it has none"),
  rejections: z.record(z.string(), count).describe("by reason, of the rounds whose receipts are kept"),
});

/** Equal folders make equal reports, but for `madeMs`. */
export type RunReport = z.infer<typeof runReportSchema>;
