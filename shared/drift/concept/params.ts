// Parameters that several detectors share.

import { z } from "zod";

/** Which changes are told: a mean that rises, falls, or either. */
export type Side = "up" | "down" | "both";

/** Errors and losses get worse by rising: that is what a detector looks for unless told otherwise. */
export const side = z
  .enum(["up", "down", "both"])
  .prefault("up")
  .describe("Which change is told: a mean that rises (errors, losses), falls, or either.");

export function looksUp(side: Side): boolean {
  return side !== "down";
}

export function looksDown(side: Side): boolean {
  return side !== "up";
}

/** A probability of crying wolf. */
export const confidence = (value: number) => z.number().gt(0).lt(1).prefault(value);

/** Updates before anything is said. */
export const warmUp = (updates: number) =>
  z.int().min(2).max(100_000).prefault(updates).describe("Updates before anything is said.");
