// The version that has to be made before anything else can happen, as the state knows it.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MakeCommand } from "./command.js";
import { acceptedMembers, type OpenRound, type RoundsState } from "./state.js";

/** The command for the version being made, or undefined when none is. The same one after every restart. */
export function pendingMake(state: RoundsState): MakeCommand | undefined {
  const version = state.lastVersion + 1;
  const { making, open } = state;
  if (making?.what === "initial") return { type: "initialise", version };
  if (making?.what === "revert") return { type: "revert", version, from: making.from };
  if (making?.what === "arm") {
    return { type: "start", version, arm: making.arm, scalerOf: making.scalerOf };
  }
  if (open === null || !open.isClosing) return undefined;
  const { round, kind, baseVersion } = open;
  const updates = foldedUpdates(open);
  return kind === "fit"
    ? { type: "fit", round, version, updates }
    : { type: "fold", round, version, base: baseVersion, updates };
}

/** The updates a round closes with, in fold order. */
export function foldedUpdates(open: OpenRound): { readonly device: DeviceId; readonly updateId: UpdateId }[] {
  return acceptedMembers(open).map(({ device, updateId }) => ({ device, updateId }));
}
