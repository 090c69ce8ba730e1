// A report out of a server's data folder. It only reads, so it works while the server runs.

import { HeadwaterError } from "../../shared/error.js";
import { metricValue } from "../../shared/model/metric.js";
import type { Database } from "../../shared/storage/port.js";
import type { MetricName } from "../../shared/task/task.js";
import { type ServerView, viewServerFolder } from "../host/server-view.js";
import { VersionStore } from "../model/version-store.js";
import { freshForMs } from "../monitor/fresh-reports.js";
import { ReportStore } from "../monitor/report-store.js";
import { ROUNDS_REMEMBERED, RoundHistory, type RoundRecord } from "../round/history.js";
import type { Policy } from "../round/policy.js";
import { parseState } from "../round/state.js";
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
  const { head, stable, quarantined } = parseState(String(snapshot.state));
  // Only our own writing is read here, so its shape is known.
  const { rollout, monitor } = JSON.parse(String(snapshot.policy)) as Policy;
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
  };
}

function describeRound(
  { round, kind, baseVersion, openedMs, ending, pooled }: RoundRecord,
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
  };
}

function countRejections(server: Database): Record<string, number> {
  const rows = server.all(
    "SELECT reason, count(*) AS n FROM receipts WHERE status = 'rejected' GROUP BY reason ORDER BY n DESC, reason",
  );
  return Object.fromEntries(rows.map(({ reason, n }) => [String(reason), Number(n)]));
}
