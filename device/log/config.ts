// `rawLog` in a device's config: how long messages are kept, and what an acknowledgement is worth.

import { z } from "zod";
import type { Durability } from "../../shared/storage/port.js";
import { bytesWithin, durationWithin } from "../../shared/task/units.js";

/** How messages are kept. */
export interface RawLogConfig {
  /**
   * What an acknowledged message survives. `normal`: a kill of the process; a power cut takes what the operating system
   * had not written yet, on Linux up to half a minute. `full`: a power cut too, for one sync of the disk per batch. The
   * default is `normal`: a sync makes an SD card rewrite a block of its own for a few hundred bytes, up to ten times a
   * second, and holds up inference for as long; the readings of half a minute are worth less than the card.
   */
  readonly durability: Durability;
  readonly keepMs: number;
  readonly bytes: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const rawLogSchema = z
  .strictObject({
    durability: z
      .enum(["normal", "full"])
      .prefault("normal")
      .describe(
        "What an acknowledged message survives: a kill; or a power cut too, for a sync of the disk per batch.",
      ),
    keep: z
      .strictObject({
        age: durationWithin({ min: HOUR_MS, max: 3660 * DAY_MS })
          .prefault("7d")
          .describe("Messages that came longer ago go."),
        size: bytesWithin({ min: 1_000_000, max: 1e12 })
          .prefault("500MB")
          .describe("At this size the oldest make room."),
      })
      .prefault({}),
  })
  .transform(({ durability, keep }): RawLogConfig => ({ durability, keepMs: keep.age, bytes: keep.size }))
  .prefault({})
  .describe("Messages as they came: what a restart goes on from, and the device's long-term store.");
