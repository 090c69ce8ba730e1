// Both pages as Prometheus itself reads them.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AgentStatus } from "../../device/agent.js";
import { DeviceMeter } from "../../device/metrics/meter.js";
import { renderDeviceMetrics } from "../../device/metrics/page.js";
import { startServerHost } from "../../server/host/host.js";
import { ServerMeter } from "../../server/metrics/meter.js";
import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import { serverMetrics } from "../../shared/metrics/table.js";
import { emptyMetricSums } from "../../shared/model/metric.js";
import { parseTask } from "../../shared/task/parse.js";
import { deviceId } from "../support/device-kit.js";
import { smallTask } from "../support/small-task.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const withPromtool = hasPromtool ? "" : " (skipped: no promtool; Debian has it in `prometheus`)";

/** What `promtool check metrics` finds wrong: nothing, hopefully. */
function check(page: string): string {
  const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: page, encoding: "utf8" });
  return stdout + stderr;
}

function devicePage(): string {
  const status: AgentStatus = {
    deviceId: deviceId("pump-1"),
    ...{ taskHash: undefined, isConnected: true, serving: 3, round: undefined, pending: [], unlabelled: 2 },
    ...{
      examples: { train: 10, validation: 2, test: 0 },
      model: { version: 3, sha256: "ab" },
      checkpointMs: 500,
    },
  };
  return renderDeviceMetrics({
    process: { version: "1.2.3", startedMs: 1_000, counters: { "readings.late": 2, "publish-failed": 1 } },
    ...{ status, isTelemetryConnected: false, nowMs: 2_500, meter: new DeviceMeter(systemClock) },
    task: parseTask(`${smallTask}monitor: {}\n`).task,
    monitor: {
      ...{ serving: undefined, beside: undefined, paired: { rows: 0, sum: 0, squares: 0 }, waiting: 0 },
      window: { ...emptyMetricSums, rows: 4, squaredError: 9 },
      quality: { missing: 0.1, refused: 0 },
      columns: [{ column: "temp", effect: 0.2, drifts: true, sinceMs: 1_000 }],
      ...{ concept: { status: "ok", detections: 0 }, drift: { kind: "data", sinceMs: 1_000 } },
    },
  });
}

async function withServer<T>(use: (url: string) => Promise<T>): Promise<T> {
  const anywhere = { host: "127.0.0.1", port: 0 } as const;
  const broker = { kind: "embedded", listeners: [{ kind: "tcp", ...anywhere }] } as const;
  const config = { task: parseTask(smallTask), folder: temp.path, broker, http: anywhere };
  const host = await startServerHost(config, { logger: silentLogger });
  try {
    return await use(`${host.httpUrl}/metrics`);
  } finally {
    await host.stop();
  }
}

test("a device's page tells counters, the monitor's word, and no device id", () => {
  const page = devicePage();
  expect(page).toContain('headwater_events_total{part="readings",reason="late"} 2\n');
  expect(page).toContain('headwater_quality{metric="rmse"} 1.5\n');
  expect(page).toContain('headwater_row_ratio{fault="missing"} 0.1\n');
  expect(page).toContain('headwater_data_drift_statistic{column="temp"} 0.2\n');
  expect(page).toContain('headwater_data_drift_alarm{column="temp"} 1\n');
  expect(page).toContain("headwater_concept_drift_alarm 0\n");
  expect(page).toContain('headwater_drift_alarms_total{kind="data"} 0\n');
  expect(page).toContain('headwater_training_duration_seconds_bucket{kind="train",le="+Inf"} 0\n');
  expect(page).toContain('headwater_model_info{version="3",sha256="ab"} 1\n');
  expect(page).toContain("headwater_checkpoint_age_seconds 2\n");
  expect(page).not.toContain("pump-1");
});

test("a server answers /metrics in the text format, and refuses a question it does not know", async () => {
  await withServer(async (url) => {
    const reply = await fetch(url);
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await reply.text()).toContain('headwater_version{line="stable"} 0\n');
    expect((await fetch(`${url}?devices=5000`)).status).toBe(400);
  });
});

test("what an alert rule waits to see grow is there before it grows: the first of it would be no increase", async () => {
  const rules = readFileSync(new URL("../../deploy/grafana/alerts.yaml", import.meta.url), "utf8");
  const waits = [...rules.matchAll(/increase\((headwater_\w+)\{([^}]*)\}/g)].flatMap(
    ([, name = "", labels = ""]) => {
      const exact = labels.match(/\w+="[^"]+"/g) ?? [];
      return name in serverMetrics && exact.length > 0 ? [{ name, exact }] : [];
    },
  );
  expect(waits.length).toBeGreaterThan(3);
  const lines = await withServer(async (url) => (await (await fetch(url)).text()).split("\n"));
  const absent = waits.filter(
    ({ name, exact }) =>
      !lines.some((line) => line.startsWith(`${name}{`) && exact.every((label) => line.includes(label))),
  );
  expect(absent).toEqual([]);
});

test("a server's meter counts what happened", () => {
  let nowMs = 0;
  const meter = new ServerMeter({ output: parseTask(smallTask).task.model.output, elapsed: () => nowMs });
  const open = { round: 1, kind: "train", baseVersion: 1, cohort: [], deadlineMs: 9 } as const;
  meter.observe({ type: "round-opened", ...open });
  nowMs = 2_000;
  meter.observe({ type: "round-closed", round: 1, kind: "train", outcome: "completed", folded: [] });
  meter.observe({ type: "round-closed", round: 0, kind: "train", outcome: "abandoned", folded: [] });
  expect(meter.durations.get("train")?.snapshot()).toMatchObject({ count: 1, sum: 2 });
  expect([...meter.rounds.values()].map(({ words, count }) => [...words, count])).toEqual([
    ["train", "completed", 1],
    ["train", "abandoned", 1],
  ]);
});

test.skipIf(!hasPromtool)(`promtool finds nothing wrong with either page${withPromtool}`, async () => {
  expect(check(devicePage())).toBe("");
  expect(await withServer(async (url) => check(await (await fetch(`${url}?devices=10`)).text()))).toBe("");
});
