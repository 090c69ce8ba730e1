// The server as its API describes it: pure descriptions of what its parts say now.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { RunManifest, Signed, Verdict } from "../../shared/lineage/record.js";
import { metricValues } from "../../shared/model/metric.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Task } from "../../shared/task/task.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import type { EnrolledDevice } from "../host/enrolled.js";
import type { RoundRecord } from "../round/history.js";
import type { MemberRecord } from "../round/timeline.js";
import type { Server } from "../server.js";
import type { RoundStatus, ServerStatus } from "../status.js";
import { actionsOf, type ServerActions } from "./actions.js";
import { listDevices } from "./device-list.js";
import type { DriftSource } from "./drift-view.js";
import { optional } from "./optional.js";
import type {
  DeviceView,
  LineageView,
  LiveStatus,
  MemberView,
  MetricPointsView,
  ModelsView,
  OpenRoundView,
  RoundDetailView,
  RoundsQuery,
  RoundsView,
  RoundView,
  StatusView,
  TrialView,
} from "./schema.js";
import { selectionView } from "./selection-view.js";

/** What the API looks at. */
export interface ApiSources {
  readonly task: Task;
  readonly version: string;
  /** The task as its author wrote it. */
  readonly source: Pick<LoadedTask, "source" | "taskHash" | "pipelineHash">;
  readonly server: Pick<
    Server,
    | "status"
    | "rounds"
    | "versions"
    | "members"
    | "watch"
    | "paramCount"
    | "lineage"
    | "publicKey"
    | "aliases"
    | "exported"
  >;
  readonly enrolled: { list(): readonly EnrolledDevice[] };
  readonly broker: () => StatusView["broker"];
  readonly brokerCounters: Counters;
  /** Why the server is not ready for devices, undefined when it is. */
  readonly notReady: () => string | undefined;
  readonly clock: Clock;
  readonly startedMs: number;
  /** What an operator may do; absent, the page says that nothing can be done. */
  readonly actions?: ServerActions;
  /** The version on trial, if any. */
  readonly trial?: () => TrialView | undefined;
  /** What devices have reported of their data. */
  readonly drift?: Pick<DriftSource, "summary" | "view">;
}

/** Devices in the status itself; a page of them is asked for apart. */
const DEVICES_IN_STATUS = 1000;

export function describeServer(sources: ApiSources): StatusView {
  const { status, devices, members } = describeLive(sources);
  const { open, ...rest } = status;
  return {
    ...rest,
    ...(open === undefined ? {} : { open: { ...open, members } }),
    devices: devices.slice(0, DEVICES_IN_STATUS),
  };
}

/** Everything that changes from moment to moment. */
export interface LiveView {
  readonly status: LiveStatus;
  /** Of the open round. */
  readonly members: MemberView[];
  readonly devices: readonly DeviceView[];
}

export function describeLive(sources: ApiSources): LiveView {
  const status = sources.server.status();
  const devices = listDevices(sources, status);
  const { open } = status;
  return {
    status: describeStatus(sources, status, devices),
    members: open === undefined ? [] : describeMembers(open, sources.server.members(open.round)),
    devices,
  };
}

function describeStatus(
  sources: ApiSources,
  status: ServerStatus,
  devices: readonly DeviceView[],
): LiveStatus {
  const {
    open,
    stableValue,
    finished,
    counters,
    rounds,
    trainRounds,
    trainFromMs,
    head,
    stable,
    retrainUntil,
  } = status;
  const { task, version, server, clock, startedMs, brokerCounters } = sources;
  const notReady = sources.notReady();
  return {
    ...{ task: task.task, version, startedMs, rounds, trainRounds, head, stable },
    nowMs: clock.now(),
    isReady: notReady === undefined,
    trainRoundsMax: task.rounds.max,
    metric: task.rollout.gate.metric,
    ...optional({ notReady, trainFromMs, stableValue, finished, retrainUntil }),
    ...(open === undefined ? {} : { open: describeOpen(open, server) }),
    fleet: {
      enrolled: devices.filter(({ isEnrolled }) => isEnrolled).length,
      connected: devices.filter(({ isConnected }) => isConnected).length,
      heard: devices.filter(({ seenMs }) => seenMs !== undefined).length,
    },
    broker: sources.broker(),
    counters: { ...counters, ...brokerCounters.toJSON() },
    actions: actionsOf(sources.actions),
    ...optional({
      selection: selectionView(status),
      trial: sources.trial?.(),
      drift: sources.drift?.summary(),
    }),
  };
}

/** One round with everybody asked, undefined when it is not remembered. */
export function describeRoundDetail(
  { server, task }: ApiSources,
  round: number,
): RoundDetailView | undefined {
  const record = server.rounds({ limit: 1, before: round + 1 })[0];
  if (record?.round !== round) return undefined;
  const { open } = server.status();
  const records = server.members(round);
  const members = open?.round === round ? describeMembers(open, records) : [...records];
  return { ...describeRound(record, task), members };
}

/** What evaluate rounds measured: the newest of them, oldest first. */
export function describeMetrics(
  { server, task }: Pick<ApiSources, "task"> & { readonly server: Pick<Server, "rounds"> },
  { limit, before }: RoundsQuery,
): MetricPointsView {
  const records = server.rounds({ limit: limit + 1, isScored: true, ...optional({ before }) });
  const points = records.slice(0, limit).map((record) => {
    const { round, baseVersion, closedMs, metrics = {}, candidates } = describeRound(record, task);
    return { round, version: baseVersion, metrics, ...optional({ closedMs, candidates }) };
  });
  const next = records.length > limit ? points.at(-1)?.round : undefined;
  return { points: points.reverse(), ...optional({ next }) };
}

// The state says who is in the round, the timeline when: after a restart it may not know.
function describeMembers(open: RoundStatus, records: readonly MemberRecord[]): MemberView[] {
  const byDevice = new Map(records.map((record) => [record.device, record]));
  return open.members.map(({ device, status }) => ({ ...byDevice.get(device), device, status }));
}

export function describeRounds({ server, task }: ApiSources, { limit, before }: RoundsQuery): RoundsView {
  // One more than asked for tells whether there is another page.
  const records = server.rounds({ limit: limit + 1, ...optional({ before }) });
  const rounds = records.slice(0, limit).map((record) => describeRound(record, task));
  const last = rounds.at(-1);
  return { rounds, ...(records.length > limit && last !== undefined ? { next: last.round } : {}) };
}

/** What is needed to say which versions there are. */
export interface ModelSources {
  readonly task: Task;
  readonly server: Pick<Server, "versions"> & {
    status(): Pick<ServerStatus, "head" | "stable"> & {
      readonly trial: Pick<NonNullable<ServerStatus["trial"]>, "version" | "mode"> | undefined;
    };
    readonly aliases: Pick<Server["aliases"], "of">;
  };
}

export function describeModels({ server, task }: ModelSources): ModelsView {
  const { head, stable, trial } = server.status();
  const models = server.versions().map(({ manifest, scored }) => {
    const { version, parent, sha256, bytes, fingerprint, modelSignature, createdMs, expiresMs, arm } =
      manifest;
    return {
      ...{ version, parent, sha256, bytes, fingerprint, modelSignature, createdMs, expiresMs },
      isHead: version === head,
      isStable: version === stable,
      aliases: [...server.aliases.of(version)],
      ...optional({ trial: trial?.version === version ? trial.mode : undefined }),
      ...optional({ candidate: arm, evaluation: describeEvaluation(scored, task) }),
    };
  });
  return { models };
}

export function describeLineage(
  { server }: ApiSources,
  version: number,
  { limit }: { readonly limit: number },
): LineageView {
  const known = server.lineage(version, limit + 1);
  const next = known[limit]?.run.record.version;
  return {
    publicKey: Buffer.from(rawPublicKey(server.publicKey)).toString("base64"),
    lineage: known.slice(0, limit).map(({ run, verdict }) => ({
      run: describeRecord(run),
      ...(verdict === undefined ? {} : { verdict: describeRecord(verdict) }),
    })),
    ...optional({ next }),
  };
}

function describeRecord({ record, sha256, signature }: Signed<RunManifest | Verdict>) {
  return { record: { ...record }, sha256, signature: Buffer.from(signature).toString("base64") };
}

function describeOpen(open: RoundStatus, server: ApiSources["server"]): Omit<OpenRoundView, "members"> {
  const record = server.rounds({ limit: 1, before: open.round + 1 })[0];
  const { round, kind, baseVersion, deadlineMs, target, quorum, isClosing } = open;
  return {
    ...{ round, kind, baseVersion, deadlineMs, target, quorum, isClosing },
    ...optional({ openedMs: record?.openedMs }),
  };
}

function describeRound(record: RoundRecord, task: Task): RoundView {
  const { round, kind, baseVersion, openedMs, ending, pooled, arms } = record;
  return {
    ...{ round, kind, baseVersion, openedMs },
    outcome: ending?.outcome ?? "open",
    ...(ending === undefined ? {} : describeEnding(ending)),
    ...(pooled === undefined ? {} : { metrics: metricValues(pooled, task.model.output) }),
    ...(arms.length === 0 ? {} : { candidates: [...arms] }),
  };
}

function describeEnding({
  closedMs,
  version,
  members,
  accepted,
  rejected,
}: NonNullable<RoundRecord["ending"]>) {
  return { closedMs, members, accepted, rejected, ...optional({ version }) };
}

function describeEvaluation(scored: RoundRecord | undefined, task: Task) {
  if (scored?.pooled === undefined) return undefined;
  const { round, pooled, ending } = scored;
  const devices = ending?.accepted;
  const metrics = metricValues(pooled, task.model.output);
  return { round, rows: pooled.rows, metrics, ...optional({ devices }) };
}
