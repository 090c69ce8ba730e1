// The server as its API describes it: pure descriptions of what its parts say now.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { metricValues } from "../../shared/model/metric.js";
import type { Task } from "../../shared/task/task.js";
import type { DeviceView as HeardDevice } from "../fleet/registry.js";
import type { EnrolledDevice } from "../host/enrolled.js";
import type { RoundRecord } from "../round/history.js";
import type { Server } from "../server.js";
import type { RoundStatus } from "../status.js";
import type {
  DevicesQuery,
  DevicesView,
  DeviceView,
  ModelsView,
  OpenRoundView,
  RoundsQuery,
  RoundsView,
  RoundView,
  StatusView,
} from "./schema.js";

/** What the API looks at. */
export interface ApiSources {
  readonly task: Task;
  readonly version: string;
  readonly server: Pick<Server, "status" | "rounds" | "versions">;
  readonly enrolled: { list(): readonly EnrolledDevice[] };
  readonly broker: () => StatusView["broker"];
  readonly brokerCounters: Counters;
  /** Why the server is not ready for devices, undefined when it is. */
  readonly notReady: () => string | undefined;
  readonly clock: Clock;
  readonly startedMs: number;
}

/** Devices in the status itself; a page of them is asked for apart. */
const DEVICES_IN_STATUS = 1000;

export function describeServer(sources: ApiSources): StatusView {
  const { task, version, server, clock, startedMs, brokerCounters } = sources;
  const { open, stableValue, finished, counters, rounds, trainRounds, head, stable } = server.status();
  const notReady = sources.notReady();
  const devices = listDevices(sources);
  return {
    ...{ task: task.task, version, startedMs, rounds, trainRounds, head, stable },
    nowMs: clock.now(),
    isReady: notReady === undefined,
    trainRoundsMax: task.rounds.max,
    metric: task.rollout.gate.metric,
    ...optional({ notReady, stableValue, finished }),
    ...(open === undefined ? {} : { open: describeOpen(open, server) }),
    fleet: {
      enrolled: devices.filter(({ isEnrolled }) => isEnrolled).length,
      connected: devices.filter(({ isConnected }) => isConnected).length,
      heard: devices.filter(({ seenMs }) => seenMs !== undefined).length,
    },
    devices: devices.slice(0, DEVICES_IN_STATUS),
    broker: sources.broker(),
    counters: { ...counters, ...brokerCounters.toJSON() },
  };
}

export function describeRounds({ server, task }: ApiSources, { limit, before }: RoundsQuery): RoundsView {
  // One more than asked for tells whether there is another page.
  const records = server.rounds({ limit: limit + 1, ...optional({ before }) });
  const rounds = records.slice(0, limit).map((record) => describeRound(record, task));
  const last = rounds.at(-1);
  return { rounds, ...(records.length > limit && last !== undefined ? { next: last.round } : {}) };
}

export function describeModels({ server, task }: ApiSources): ModelsView {
  const { head, stable } = server.status();
  const models = server.versions().map(({ manifest, scored }) => {
    const { version, parent, sha256, bytes, fingerprint, modelSignature, createdMs, expiresMs } = manifest;
    return {
      ...{ version, parent, sha256, bytes, fingerprint, modelSignature, createdMs, expiresMs },
      isHead: version === head,
      isStable: version === stable,
      ...optional({ evaluation: describeEvaluation(scored, task) }),
    };
  });
  return { models };
}

export function describeDevices(
  sources: ApiSources,
  { limit, after = "", connected }: DevicesQuery,
): DevicesView {
  const wanted = listDevices(sources).filter(
    ({ device, isConnected }) => device > after && (connected === undefined || isConnected === connected),
  );
  const devices = wanted.slice(0, limit);
  const last = devices.at(-1);
  return { devices, ...(wanted.length > limit && last !== undefined ? { next: last.device } : {}) };
}

function describeOpen(open: RoundStatus, server: ApiSources["server"]): OpenRoundView {
  const record = server.rounds({ limit: 1, before: open.round + 1 })[0];
  const { round, kind, baseVersion, deadlineMs, target, quorum, isClosing } = open;
  return {
    ...{ round, kind, baseVersion, deadlineMs, target, quorum, isClosing },
    members: [...open.members],
    ...optional({ openedMs: record?.openedMs }),
  };
}

function describeRound(record: RoundRecord, task: Task): RoundView {
  const { round, kind, baseVersion, openedMs, ending, pooled } = record;
  return {
    ...{ round, kind, baseVersion, openedMs },
    outcome: ending?.outcome ?? "open",
    ...(ending === undefined ? {} : describeEnding(ending)),
    ...(pooled === undefined ? {} : { metrics: metricValues(pooled, task.model.output) }),
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

/** Devices enrolled, heard, or both, by id. */
function listDevices({ server, enrolled }: ApiSources): DeviceView[] {
  const heard = new Map(server.status().devices.map((device) => [device.device, device]));
  const known = new Map(enrolled.list().map((device) => [device.device, device]));
  const ids = new Set<DeviceId>([...known.keys(), ...heard.keys()]);
  // Ids are ASCII: this is the order of their bytes.
  return [...ids]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((id) => describeDevice(id, heard.get(id), known.get(id)));
}

function describeDevice(
  device: DeviceId,
  heard: HeardDevice | undefined,
  enrolled: EnrolledDevice | undefined,
): DeviceView {
  return {
    device,
    isEnrolled: enrolled !== undefined,
    // One known from before the start is only expected to be there until it is heard.
    isConnected: heard?.seenMs !== undefined && heard.isConnected,
    isEligible: heard?.eligible ?? false,
    examples: heard?.examples ?? { train: 0, validation: 0 },
    rejected: { ...heard?.rejected },
    ...optional({
      enrolledMs: enrolled?.enrolledMs,
      seenMs: heard?.seenMs,
      stable: heard?.stable ?? undefined,
      reason: heard?.reason ?? undefined,
    }),
  };
}

/** The fields that are there. */
function optional<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  // What is left out may be absent in the type, so the check has been made.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: NonNullable<Fields[Key]>;
  };
}
