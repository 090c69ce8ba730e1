// What a decision asks for: writes go into the journal's own transaction, commands are carried out afterwards.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { RunManifest, Signed, Verdict } from "../../shared/lineage/record.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { MetricName } from "../../shared/task/task.js";
import type { Manifest, RejectionReason, RoundKind, Trial } from "../../shared/wire/message.js";
import type { ServerFact } from "../fact.js";
import type { RoundBeginning, RoundEnding } from "./history.js";
import type { RoundsState } from "./state.js";

/** The server's word on an update, before it is signed. */
export interface Word {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
  readonly round: number;
  readonly status: "accepted" | "rejected";
  readonly reason: RejectionReason | null;
}

/** A trial as devices hear of it. */
export type TrialTerms = Omit<Trial, "manifest"> & { readonly version: number };

/** One accepted update. */
export interface UpdateRef {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
}

/** The gate's word on a version. */
export interface GateVerdict {
  readonly version: number;
  readonly metric: MetricName;
  readonly passed: boolean;
  readonly value: number | null;
  readonly reference: number | null;
}

/** The end of a version's trial. */
export interface TrialEnd extends Omit<NonNullable<Verdict["trial"]>, "reasons"> {
  readonly version: number;
  readonly reasons: readonly string[];
}

/** Stored together with the event, or not at all. What deletes comes first: on a full disk it makes the room. */
export type Write =
  | ({ readonly type: "begin-round" } & RoundBeginning)
  /** Forgets the round's uploads and updates, and the words on rounds before `keepFrom`. */
  | {
      readonly type: "end-round";
      readonly round: number;
      readonly keepFrom: number;
      readonly ending: RoundEnding;
    }
  | ({ readonly type: "drop-upload" } & UpdateRef)
  /** Forgets versions up to `through`, but for `keep` and their parents. */
  | { readonly type: "prune-versions"; readonly through: number; readonly keep: readonly number[] }
  | ({ readonly type: "update"; readonly round: number; readonly kind: RoundKind } & UpdateRef)
  | { readonly type: "word"; readonly word: Word }
  | {
      readonly type: "evaluation";
      readonly round: number;
      readonly version: number;
      readonly pooled: MetricSums;
      readonly perDevice: readonly { readonly device: DeviceId; readonly sums: MetricSums }[];
    }
  /** What the gate said of a version: its values by the gate's metric, null where there are none. */
  | ({ readonly type: "verdict" } & GateVerdict)
  | ({ readonly type: "trial-ended" } & TrialEnd)
  | {
      readonly type: "version";
      readonly manifest: Manifest;
      readonly blob: Uint8Array;
      readonly run: Signed<RunManifest>;
    }
  /** Names a version that is stored before it. */
  | { readonly type: "alias"; readonly name: string; readonly version: number }
  /** The text behind a hash in runs. */
  | { readonly type: "task-text"; readonly task: Pick<LoadedTask, "taskHash" | "source"> };

/** Makes a version; answered by the event `version-made`. Doing it twice gives the same version. */
export type MakeCommand =
  /** Initial params and a scaler that needs no data. */
  | { readonly type: "initialise"; readonly version: number }
  /** Initial params and a scaler fitted to the round's statistics. */
  | {
      readonly type: "fit";
      readonly round: number;
      readonly version: number;
      readonly updates: readonly UpdateRef[];
    }
  /** Initial params of a candidate, with the scaler of version `scalerOf`. */
  | {
      readonly type: "start";
      readonly version: number;
      readonly arm: string;
      readonly scalerOf: number;
    }
  /** The base moved by the aggregate of the updates, in the order given. */
  | {
      readonly type: "fold";
      readonly round: number;
      readonly version: number;
      readonly base: number;
      readonly updates: readonly UpdateRef[];
    }
  /** The params of version `from` once more. */
  | { readonly type: "revert"; readonly version: number; readonly from: number };

/** Carried out after the journal, in order. Each can be repeated without harm. */
export type Command =
  | { readonly type: "offer"; readonly device: DeviceId }
  | { readonly type: "wait"; readonly device: DeviceId; readonly retryMs: number; readonly reason: string }
  | { readonly type: "word"; readonly word: Word }
  /** Tells that the version is there. */
  | { readonly type: "publish"; readonly line: "head" | "stable"; readonly version: number }
  /** Tells devices what to serve. */
  | {
      readonly type: "release";
      readonly sequence: number;
      readonly stable: number;
      readonly trial: TrialTerms | null;
    }
  /** Answered by the event `trial-evidence`. */
  | { readonly type: "pool-evidence"; readonly version: number; readonly step: number }
  | { readonly type: "tell"; readonly fact: ServerFact }
  | MakeCommand;

/** A decision. */
export interface Step {
  readonly state: RoundsState;
  readonly writes: readonly Write[];
  readonly commands: readonly Command[];
}

/** The step to `state` that also asks for `wanted`. */
export function step(
  state: RoundsState,
  wanted: { readonly writes?: readonly Write[]; readonly commands?: readonly Command[] } = {},
): Step {
  return { state, writes: wanted.writes ?? [], commands: wanted.commands ?? [] };
}

/** Both steps as one: `next` decides on the state that `first` leads to. */
export function chain(first: Step, ...following: readonly ((state: RoundsState) => Step)[]): Step {
  return following.reduce((before, next) => {
    const after = next(before.state);
    return {
      state: after.state,
      writes: [...before.writes, ...after.writes],
      commands: [...before.commands, ...after.commands],
    };
  }, first);
}

/** Tells whoever watches. */
export function tell(fact: ServerFact): Command {
  return { type: "tell", fact };
}

/** Tells that head or stable is a new version. */
export function publishLine(line: "head" | "stable", version: number): Command {
  return { type: "publish", line, version };
}
