// Is my fleet well? The answer in words, and what needs attention.

import { many, span } from "./format.js";
import type { LiveState } from "./live-state.js";

export type Tone = "good" | "warn" | "bad";

/** One thing to look at. */
export interface Concern {
  readonly tone: Exclude<Tone, "good">;
  readonly text: string;
  readonly href: string;
}

/** The answer. */
export interface Wellness {
  readonly tone: Tone;
  readonly headline: string;
  readonly concerns: readonly Concern[];
}

/** A fleet with this share of its devices away is in trouble. */
const AWAY_BAD = 0.5;
const AWAY_WARN = 0.1;
/** Rounds abandoned in a row before it is more than bad luck. */
const ABANDONED_BAD = 3;
/** Rounds looked at for refusals. */
const RECENT_ROUNDS = 10;

/** Judges the picture. */
export function assess(state: LiveState): Wellness {
  const concerns = [
    ...serverConcerns(state),
    ...roundConcerns(state),
    ...deviceConcerns(state),
    ...driftConcerns(state),
    ...trialConcerns(state),
  ].toSorted((a, b) => Number(b.tone === "bad") - Number(a.tone === "bad"));
  const tone = concerns[0]?.tone ?? "good";
  return { tone, headline: HEADLINES[tone](state), concerns };
}

const HEADLINES: Readonly<Record<Tone, (state: LiveState) => string>> = {
  good: ({ status }) => {
    if (status.retrainUntil !== undefined) return "The fleet is well, and learns anew.";
    if (status.selection !== undefined && status.selection.winner === undefined && status.rounds > 0) {
      return "The fleet is well, and compares candidates.";
    }
    if (status.finished !== undefined) return "The fleet has learned, and is well.";
    return status.rounds === 0
      ? "All is well; waiting for devices to learn."
      : "The fleet is well and learning.";
  },
  warn: ({ status }) =>
    status.retrainUntil === undefined
      ? "The fleet works, and something needs a look."
      : "The fleet works, and learns anew.",
  bad: () => "The fleet needs you.",
};

function serverConcerns({ status: { isReady, notReady, counters } }: LiveState): Concern[] {
  const failed = counters["journal-failed"] ?? 0;
  return [
    ...(isReady ? [] : [bad(`Devices cannot be served: ${notReady ?? "the server is not ready"}.`, "#/")]),
    ...(failed > 0 ? [bad(`The disk refused the journal ${many(failed, "time")}.`, "#/")] : []),
  ];
}

function roundConcerns({ rounds }: LiveState): Concern[] {
  const ended = rounds.filter(({ outcome }) => outcome !== "open");
  const firstGood = ended.findIndex(({ outcome }) => outcome === "completed");
  const abandoned = firstGood === -1 ? ended.length : firstGood;
  const rejected = ended.slice(0, RECENT_ROUNDS).reduce((sum, round) => sum + (round.rejected ?? 0), 0);
  const say = abandoned >= ABANDONED_BAD ? bad : warn;
  return [
    ...(abandoned > 0 ? [say(`${sentence(abandoned)} without a quorum.`, "#/rounds")] : []),
    ...(rejected > 0
      ? [warn(`${many(rejected, "update")} refused in the last ${RECENT_ROUNDS} rounds.`, "#/rounds")]
      : []),
  ];
}

function sentence(abandoned: number): string {
  return abandoned === 1 ? "The last round ended" : `The last ${abandoned} rounds ended`;
}

function deviceConcerns({ status: { fleet, nowMs, startedMs }, devices }: LiveState): Concern[] {
  const away = devices.filter(({ isConnected, seenMs }) => !isConnected && seenMs !== undefined).length;
  const leftOut = devices.filter(({ quarantined }) => quarantined !== undefined).length;
  const silent = devices.filter(({ seenMs }) => seenMs === undefined).length;
  const share = fleet.heard === 0 ? 0 : away / fleet.heard;
  const say = share >= AWAY_BAD ? bad : warn;
  return [
    ...(share >= AWAY_WARN
      ? [say(`${many(away, "device")} of ${fleet.heard} lost.`, "#/devices?show=away")]
      : []),
    ...(leftOut > 0
      ? [warn(`${many(leftOut, "device")} left out of rounds.`, "#/devices?show=quarantined")]
      : []),
    ...(silent > 0
      ? [warn(`${many(silent, "device")} not heard in ${span(nowMs - startedMs)}.`, "#/devices?show=away")]
      : []),
  ];
}

function driftConcerns({ status: { drift } }: LiveState): Concern[] {
  if (drift === undefined || drift.drifting === 0) return [];
  return [
    warn(
      `${many(drift.drifting, "device")} of ${drift.devices} ${drift.drifting === 1 ? "drifts" : "drift"}: data or error are not what they were.`,
      "#/drift",
    ),
  ];
}

function trialConcerns({ status: { trial } }: LiveState): Concern[] {
  if (trial?.note === undefined) return [];
  return [warn(`Version ${trial.version} on trial: ${trial.note}.`, "#/models")];
}

function bad(text: string, href: string): Concern {
  return { tone: "bad", text, href };
}

function warn(text: string, href: string): Concern {
  return { tone: "warn", text, href };
}
