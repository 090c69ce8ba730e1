// What the server has said, put together: pure, so that it is tested without a browser.

import type { Change, Snapshot } from "../http/live.js";
import type { DeviceView } from "../http/schema.js";

/** The picture as it is held: a snapshot, kept up to date. Lists are replaced, never changed. */
export type LiveState = Snapshot;

/** Rounds held; older ones are asked for when wanted. */
const ROUNDS_HELD = 500;

/** The picture after a change. */
export function applyChange(state: LiveState, change: Change): LiveState {
  const { status, members, devices, goneDevices, rounds, models } = change;
  const isSameRound = state.status.open?.round === status.open?.round;
  const before = status.open !== undefined && isSameRound ? state.members : [];
  return {
    status,
    models: models ?? state.models,
    members: merge(before, members, ({ device }) => device),
    devices: mergeDevices(state.devices, devices, goneDevices),
    rounds:
      rounds === undefined
        ? state.rounds
        : merge(state.rounds, rounds, ({ round }) => round)
            .toSorted((a, b) => b.round - a.round)
            .slice(0, ROUNDS_HELD),
  };
}

function mergeDevices(
  held: readonly DeviceView[],
  changed: readonly DeviceView[] | undefined,
  gone: readonly string[] | undefined,
): readonly DeviceView[] {
  if (changed === undefined && gone === undefined) return held;
  const away = new Set(gone);
  return merge(held, changed, ({ device }) => device)
    .filter(({ device }) => !away.has(device))
    .toSorted((a, b) => (a.device < b.device ? -1 : 1));
}

function merge<Item>(
  held: readonly Item[],
  changed: readonly Item[] | undefined,
  keyOf: (item: Item) => string | number,
): readonly Item[] {
  if (changed === undefined) return held;
  const all = new Map(held.map((item) => [keyOf(item), item]));
  for (const item of changed) all.set(keyOf(item), item);
  return [...all.values()];
}
