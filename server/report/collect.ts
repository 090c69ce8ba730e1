// A report out of a server's data folder. It only reads, so it works while the server runs.

import { HeadwaterError } from "../../shared/error.js";
import { metricValue } from "../../shared/model/metric.js";
import type { Database } from "../../shared/storage/port.js";
import type { MetricName } from "../../shared/task/task.js";
import { type ServerView, viewServerFolder } from "../host/server-view.js";
import { selectionView } from "../http/selection-view.js";
import { VersionStore } from "../model/version-store.js";
import { freshForMs } from "../monitor/fresh-reports.js";
import { ReportStore } from "../monitor/report-store.js";
import { ROUNDS_REMEMBERED, RoundHistory, type RoundRecord } from "../round/history.js";
import type { Policy } from "../round/policy.js";
import { parseState, type RoundsState } from "../round/state.js";
import type { RunReport } from "./schema.js";

/**
 * Reads it. Throws `config-invalid` when it is no folder of a server that has begun, `storage-failed` when it cannot be
 * read.
 */
export function collectReport(folder: string, nowMs: number): RunReport {
  const view = viewServerFolder(folder);
  try {
    return collect(view, folder, nowMs);
  } finally {
    view.close();
  }
}

function collect({ database: server, fleet }: ServerView, folder: string, nowMs: number): RunReport {
  const snapshot = server.get("SELECT state, policy, alive_ms FROM snapshot");
  if (snapshot === undefined) {
    const message = `${folder} is no server's data folder: its server has never started`;
    throw new HeadwaterError("config-invalid", message);
  }
  const state = parseState(String(snapshot.state));
  const { head, stable, quarantined } = state;
  // Only our own writing is read here, so its shape is known.
  const policy = JSON.parse(String(snapshot.policy)) as Policy;
  const { rollout, monitor } = policy;
  const { metric } = rollout.gate;
  const reports = [...new ReportStore(server).load().values()];
  // Of a server that has stopped, the reports of its last moments count.
  const sinceMs = monitor === undefined ? Infinity : Number(snapshot.alive_ms) - freshForMs(monitor);
  const fresh = reports.filter(({ receivedMs }) => receivedMs >= sinceMs);
  const rounds = new RoundHistory(server).list({ limit: ROUNDS_REMEMBERED }).reverse();
  return {
    ...{ v: 1, task: String(fleet.get("SELECT value FROM about WHERE name = 'task'")?.value), madeMs: nowMs },
    ...{ metric, head, stable },
    devices: {
      enrolled: Number(fleet.get("SELECT count(*) AS n FROM devices")?.n),
      reported: reports.length,
      drifting: fresh.filter(({ report }) => report.drift.isDrifting).length,
      quarantined: quarantined.size,
    },
    rounds: rounds.map((record) => describeRound(record, metric)),
    versions: new VersionStore(server)
      .list()
      .reverse()
      .map(({ version, parent, bytes, createdMs, sha256 }) => ({
        version,
        parent,
        bytes,
        createdMs,
        sha256,
      })),
    rejections: countRejections(server),
    selection: describeSelection(state, policy, server),
  };
}

function describeSelection({ selection }: RoundsState, { selection: policy }: Policy, server: Database) {
  if (policy === undefined) return null;
  const excluded = candidatesOf(server)
    .filter((name) => !policy.arms.some((arm) => arm.name === name))
    .map((arm) => ({ arm, reason: "beyond the task's limits" }));
  const view = selectionView({ selection: { policy, excluded, state: selection ?? undefined } });
  return view ?? null;
}

/** Of the task that the newest version was made by. */
function candidatesOf(server: Database): readonly string[] {
  const row = server.get(
    "SELECT source FROM tasks JOIN lineage USING (task_hash) ORDER BY version DESC LIMIT 1",
  );
  if (row === undefined) return [];
  // A task that has been parsed before it was kept.
  const { candidates = {} } = JSON.parse(String(row.source)) as { readonly candidates?: object };
  return Object.keys(candidates);
}

function describeRound(
  { round, kind, baseVersion, openedMs, ending, pooled, arms }: RoundRecord,
  metric: MetricName,
): RunReport["rounds"][number] {
  const {
    outcome = "open",
    closedMs = null,
    version = null,
    members = 0,
    accepted = 0,
    rejected = 0,
  } = ending ?? {};
  return {
    ...{ round, kind, outcome, openedMs: openedMs ?? null, closedMs, version, members, accepted, rejected },
    value: (pooled && metricValue(pooled, metric)) ?? null,
    scored: pooled === undefined ? null : baseVersion,
    candidates: [...arms],
  };
}

function countRejections(server: Database): Record<string, number> {
  const rows = server.all(
    "SELECT reason, count(*) AS n FROM receipts WHERE status = 'rejected' GROUP BY reason ORDER BY n DESC, reason",
  );
  return Object.fromEntries(rows.map(({ reason, n }) => [String(reason), Number(n)]));
}
