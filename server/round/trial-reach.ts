// How far into the fleet a trial reaches, as a number that each device can compare itself with.

import type { DeviceId } from "../../shared/id.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { TRIAL_PLACES, trialPlace } from "../../shared/wire/trial.js";
import { shareOf } from "../fleet/selection.js";
import type { Command } from "./command.js";
import { type Context, isPresent } from "./membership.js";
import type { Policy } from "./policy.js";
import type { RoundsState, TrialState } from "./state.js";

/** `below` of a step: as many of the devices that are there as the task says, at least one. */
export function reachOfStep(
  state: RoundsState,
  version: number,
  { mode, step }: Pick<TrialState, "mode" | "step">,
  context: Context,
): number {
  const { policy } = context;
  const share = reachWanted(policy, mode, step);
  const salt = saltOf(policy, version);
  const places = possibleDevices(state, context)
    .map((device) => trialPlace(salt, device))
    .sort((a, b) => a - b);
  const wanted = share.kind === "count" ? share.count : shareOf(share.share, places.length);
  const last = places[Math.min(Math.max(wanted, 1), places.length) - 1] ?? -1;
  if (wanted < places.length) return last + 1;
  // All that are there is not all that may come, unless all was meant.
  if (share.kind === "share") return Math.max(last + 1, Math.round(share.share * TRIAL_PLACES));
  return places.length === 0 ? 0 : TRIAL_PLACES;
}

function reachWanted({ rollout }: Policy, mode: TrialState["mode"], step: number) {
  const { shadow, canary } = rollout;
  if (mode === "shadow") return { kind: "share", share: shadow?.share ?? 1 } as const;
  return canary?.steps[step] ?? ({ kind: "share", share: 1 } as const);
}

/** Another order of devices for each version, so that it is not always the same one that tries. */
export function saltOf({ seed }: Pick<Policy, "seed">, version: number): string {
  return sha256Hex(`${seed}|trial|${version}`).slice(0, 32);
}

/** The devices that are known and in the trial. */
export function trialDevices(state: RoundsState, context: Context): DeviceId[] {
  const { trial } = state;
  if (trial === null) return [];
  const salt = saltOf(context.policy, trial.version);
  return possibleDevices(state, context).filter((device) => trialPlace(salt, device) < trial.below);
}

function possibleDevices({ fleet }: RoundsState, context: Context): DeviceId[] {
  return [...fleet].flatMap(([device, known]) =>
    known.canBeCanary !== false && isPresent(known, context) ? [device] : [],
  );
}

/** The word on what devices serve, as the state has it. */
export function releaseCommand({ sequence, stable, trial }: RoundsState, policy: Policy): Command {
  const labels = trial?.mode === "canary" ? (policy.rollout.canary?.labels ?? {}) : {};
  const salt = trial === null ? "" : saltOf(policy, trial.version);
  return {
    type: "release",
    ...{ sequence, stable },
    trial: trial && { version: trial.version, mode: trial.mode, below: trial.below, salt, labels },
  };
}
