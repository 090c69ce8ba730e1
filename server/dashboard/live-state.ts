// What the server has said, put together: pure, so that it is tested without a browser.

import type { Change, Snapshot } from "../http/live.js";
import type { DeviceView, LiveStatus, MemberView, ModelView, RoundView } from "../http/schema.js";

/** The picture. Lists are replaced, never changed. */
export interface LiveState {
  readonly status: LiveStatus;
  /** By id. */
  readonly devices: readonly DeviceView[];
  /** Newest first. */
  readonly rounds: readonly RoundView[];
  readonly models: readonly ModelView[];
  /** Of the open round, in the order they were asked. */
  readonly members: readonly MemberView[];
}

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

/** The picture that a snapshot shows. */
export function fromSnapshot(snapshot: Snapshot): LiveState {
  return snapshot;
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
