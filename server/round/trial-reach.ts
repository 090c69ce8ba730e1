// How far into the fleet a trial reaches, as a number that each device can compare itself with.

import type { DeviceId } from "../../shared/id.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { trialPlace } from "../../shared/wire/trial.js";
import type { Command } from "./command.js";
import type { Context } from "./membership.js";
import type { Policy } from "./policy.js";
import type { RoundsState, TrialState } from "./state.js";

const WHOLE = 2 ** 32;

/** `below` of a step: as many of the devices that are there as the task says, at least one. */
export function reachOfStep(
  state: RoundsState,
  version: number,
  { mode, step }: Pick<TrialState, "mode" | "step">,
  { nowMs, policy }: Context,
): number {
  const share = shareOf(policy, mode, step);
  const salt = saltOf(policy, version);
  const present = [...state.fleet].filter(
    ([, known]) => nowMs - known.seenMs < policy.absentMs && known.canBeCanary !== false,
  );
  const places = present.map(([device]) => trialPlace(salt, device)).sort((a, b) => a - b);
  const wanted = share.kind === "count" ? share.count : Math.ceil(share.share * places.length);
  const last = places[Math.min(Math.max(wanted, 1), places.length) - 1];
  if (last !== undefined) return wanted >= places.length ? wholeOr(share) : last + 1;
  return share.kind === "count" ? 0 : Math.round(share.share * WHOLE);
}

// All that are there is not all that may come, unless all was meant.
function wholeOr(share: ReturnType<typeof shareOf>): number {
  return share.kind === "count" ? WHOLE : Math.max(1, Math.round(share.share * WHOLE));
}

function shareOf({ rollout }: Policy, mode: TrialState["mode"], step: number) {
  const { shadow, canary } = rollout;
  if (mode === "shadow") return { kind: "share", share: shadow?.share ?? 1 } as const;
  return canary?.steps[step] ?? ({ kind: "share", share: 1 } as const);
}

/** Another order of devices for each version, so that it is not always the same one that tries. */
export function saltOf({ seed }: Pick<Policy, "seed">, version: number): string {
  return sha256Hex(`${seed}|trial|${version}`).slice(0, 32);
}

/** The devices that are known and in the trial. */
export function trialDevices(state: RoundsState, policy: Policy, nowMs: number): DeviceId[] {
  const { trial } = state;
  if (trial === null) return [];
  const salt = saltOf(policy, trial.version);
  return [...state.fleet].flatMap(([device, known]) =>
    known.canBeCanary !== false &&
    nowMs - known.seenMs < policy.absentMs &&
    trialPlace(salt, device) < trial.below
      ? [device]
      : [],
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
