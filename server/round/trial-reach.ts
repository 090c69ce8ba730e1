// How far into the fleet a trial reaches, as a number that each device can compare itself with.

import type { DeviceId } from "../../shared/id.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Labels } from "../../shared/wire/message.js";
import { TRIAL_PLACES, trialPlace } from "../../shared/wire/trial.js";
import { shareOf } from "../fleet/selection.js";
import type { Command, TrialTerms } from "./command.js";
import { type Context, isPresent } from "./membership.js";
import type { Policy } from "./policy.js";
import type { KnownDevice, RoundsState, TrialState } from "./state.js";

/** `below` of a step: as many of the devices that are there as the task says, at least one. */
export function reachOfStep(
  state: RoundsState,
  version: number,
  { mode, step }: Pick<TrialState, "mode" | "step">,
  context: Context,
): number {
  const { policy } = context;
  const share = reachWanted(policy, mode, step);
  const { salt, labels } = termsOf({ version, mode, below: TRIAL_PLACES }, policy);
  const places = possibleDevices(state, labels, context)
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

/** The trial as devices hear of it. Who takes part, and whom the server counts, follow from this alone. */
export function termsOf(
  { version, mode, below }: Pick<TrialState, "version" | "mode" | "below">,
  policy: Policy,
): TrialTerms {
  // Rows are scored in shadow by whoever has them: nothing is served, so no label is asked for.
  const labels = mode === "canary" ? (policy.rollout.canary?.labels ?? {}) : {};
  return { version, mode, below, salt: saltOf(policy, version), labels };
}

/** The devices that are known and in the trial. */
export function trialDevices(state: RoundsState, context: Context): DeviceId[] {
  const { trial } = state;
  if (trial === null) return [];
  const { salt, below, labels } = termsOf(trial, context.policy);
  return possibleDevices(state, labels, context).filter((device) => trialPlace(salt, device) < below);
}

function possibleDevices({ fleet }: RoundsState, labels: Labels, context: Context): DeviceId[] {
  return [...fleet].flatMap(([device, known]) =>
    hasWanted(known, labels) && isPresent(known, context) ? [device] : [],
  );
}

/** Of labels the server remembers only whether a device has those of canaries: no trial asks for any others. */
function hasWanted({ canBeCanary }: KnownDevice, labels: Labels): boolean {
  return Object.keys(labels).length === 0 || canBeCanary !== false;
}

/** The word on what devices serve, as the state has it. */
export function releaseCommand({ sequence, stable, trial }: RoundsState, policy: Policy): Command {
  return { type: "release", sequence, stable, trial: trial && termsOf(trial, policy) };
}
