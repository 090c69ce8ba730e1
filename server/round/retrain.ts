// The fleet learns anew: when, how often, and who is left out because only its own data has changed.

import type { DeviceId } from "../../shared/id.js";
import type { LiftReason } from "../fact.js";
import { chain, type Step, step, tell } from "./command.js";
import type { RoundEvent } from "./event.js";
import { type Context, isPresent } from "./membership.js";
import { isSelecting } from "./selecting.js";
import type { RoundsState } from "./state.js";

const DAY_MS = 86_400_000;

/**
 * True when the fleet may learn anew now, by cool-down and cap. Not while it does or candidates are compared, nor while a
 * version is on trial: that may be the cure.
 */
export function mayRetrain(state: RoundsState, { nowMs, policy }: Context): boolean {
  const retrain = policy.monitor?.retrain;
  if (retrain === undefined || state.stable === 0 || state.trial !== null) return false;
  if (isSelecting(state) || isLearningAnew(state)) return false;
  const last = state.retrainedMs.at(-1);
  const firstOfDay = state.retrainedMs.at(-retrain.perDay);
  return (
    (last === undefined || nowMs >= last + retrain.cooldownMs) &&
    (firstOfDay === undefined || nowMs >= firstOfDay + DAY_MS)
  );
}

/** Enough of the fleet says that its model no longer fits. */
export function startRetraining(
  state: RoundsState,
  event: RoundEvent & { readonly type: "retrain" },
  context: Context,
): Step {
  const { nowMs, policy } = context;
  const retrain = policy.monitor?.retrain;
  if (retrain === undefined || !mayRetrain(state, context)) return step(state);
  const until = state.trainRounds + retrain.rounds;
  const next: RoundsState = {
    ...state,
    finished: null,
    extraRounds: Math.max(state.extraRounds, until - policy.rounds.max),
    retrainUntil: until,
    retrainedMs: [...state.retrainedMs, nowMs].slice(-retrain.perDay),
    // A limit passed says nothing of a time: what came before the last change is still of another world.
    sinceMs: event.sinceMs ?? state.sinceMs,
    // What stable was worth before says nothing now: it is scored anew, so that the gate compares like with like.
    ...{ candidate: state.stable, rescore: { candidate: 0 } },
    ...{ best: null, sinceBest: 0, failedGates: 0, abandonedRounds: 0, norms: [] },
    quarantined: new Map(),
  };
  const { reason, devices, share, sinceMs } = event;
  const lifted = [...state.quarantined.keys()].map((device) =>
    tell({ type: "quarantine-lifted", device, reason: "retraining" }),
  );
  const told = tell({ type: "retraining", reason, devices, share, sinceMs, rounds: retrain.rounds });
  return step(next, { commands: [told, ...lifted] });
}

/** True while the rounds of learning anew go on: they wait for nothing but devices. */
export function isLearningAnew({ trainRounds, retrainUntil }: RoundsState): boolean {
  return trainRounds < retrainUntil;
}

/** Leaves a device that is there out of rounds. */
export function quarantine(
  state: RoundsState,
  { device, reason }: { readonly device: DeviceId; readonly reason: string },
  context: Context,
): Step {
  const known = state.fleet.get(device);
  if (state.quarantined.has(device) || known === undefined || !isPresent(known, context)) return step(state);
  const quarantined = new Map(state.quarantined).set(device, { reason, sinceMs: context.nowMs });
  return step({ ...state, quarantined }, { commands: [tell({ type: "quarantined", device, reason })] });
}

/**
 * Whoever is not there is not asked anyway, and may never come back: it is not remembered as set aside. When it comes and still
 * drifts, its reports say so anew.
 */
export function liftAbsent(state: RoundsState, context: Context): Step {
  if (state.quarantined.size === 0) return step(state);
  const gone = [...state.quarantined.keys()].filter((device) => {
    const known = state.fleet.get(device);
    return known === undefined || !isPresent(known, context);
  });
  return chain(
    step(state),
    ...gone.map((device) => (next: RoundsState) => liftQuarantine(next, device, "absent")),
  );
}

/** Lets it take part again. */
export function liftQuarantine(state: RoundsState, device: DeviceId, reason: LiftReason): Step {
  if (!state.quarantined.has(device)) return step(state);
  const quarantined = new Map(state.quarantined);
  quarantined.delete(device);
  return step({ ...state, quarantined }, { commands: [tell({ type: "quarantine-lifted", device, reason })] });
}
