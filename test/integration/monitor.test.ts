// A whole device that monitors, against a scripted server: what it reports, when, and what it learns from.

import { describe, expect, test } from "vitest";
import type { AgentOptions } from "../../device/agent.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { BenchDevice } from "../support/device-kit.js";
import { deviceLab } from "../support/device-lab.js";
import { linearReadings, linearTask } from "../support/linear-task.js";
import { trialOf } from "../support/scripted-server.js";

const MINUTE_MS = 60_000;
const REPORT_MS = 5 * MINUTE_MS;
/** y = 3a - 2b + 1, as the readings have it but for their noise. */
const TRUE = Float32Array.of(3, -2, 1);

const lab = deviceLab();

async function started(
  monitor: string | undefined,
  options: Partial<AgentOptions> = {},
): Promise<BenchDevice> {
  const rest = monitor === undefined ? "" : `monitor: ${monitor}`;
  await lab.server.retainTask(lab.server.signedTask(linearTask({ rest })));
  const pump = await lab.adopted({ agent: options });
  await lab.clock.advance(2_000);
  return pump;
}

const version = (number: number, params: Float32Array = TRUE) => lab.version(number, { params });

async function serve(number: number, params?: Float32Array): Promise<void> {
  await lab.server.retainStable(await version(number, params));
  await lab.clock.advance(2_000);
}

const reports = (): readonly DeviceReport[] => lab.server.of("report");

/** Rows of the device's line from a time on, in which y is off by so much. */
function rows(count: number, startMs: number, off = 0): Reading[] {
  return linearReadings("pump-1", count, startMs).map((reading) => ({
    ...reading,
    values: { ...reading.values, y: Number(reading.values.y) + off },
  }));
}

/** The next report that is sent. */
async function nextReport(): Promise<DeviceReport> {
  const before = reports().length;
  await lab.clock.until(() => reports().length > before, 2 * REPORT_MS);
  return reports().at(-1)!;
}

describe("a report", () => {
  test("comes at the task's interval, on what is served, its sums those of its predictions and labels", async () => {
    const pump = await started("{ report: 5m }");
    await serve(7, Float32Array.of(3, -2, 2));
    await pump.agent.ingest(rows(50, lab.clock.now()));
    const predictions = pump.of("prediction");
    const labels = rows(50, lab.clock.now()).map(({ values }) => Number(values.y));
    const squares = predictions.reduce((sum, { value }, at) => sum + (value - labels[at]!) ** 2, 0);
    const report = await nextReport();
    expect(report).toMatchObject({
      ...{ sequence: 1, beside: null, failed: [], paired: { rows: 0 } },
      serving: { version: 7, rows: 50, invalid: 0, labelled: { rows: 50 } },
      window: { rows: 50 },
      drift: { isDrifting: false, sinceMs: null },
      resources: { rssBytes: 0, cpu: 0, unlabelled: 0, examples: 50 },
    });
    // Labels are float32 once scaled.
    expect(report.serving?.labelled.squaredError).toBeCloseTo(squares, 3);
    const count = reports().length;
    await lab.clock.advance(3 * REPORT_MS);
    expect(reports()).toHaveLength(count + 3);
  });

  test("comes soon after a version was taken up, and not more often than ten times an interval", async () => {
    await started("{ report: 5m }");
    await lab.clock.advance(REPORT_MS);
    const before = reports().length;
    await serve(1);
    await lab.clock.advance(REPORT_MS / 10);
    expect(reports()).toHaveLength(before + 1);
    expect(reports().at(-1)?.serving?.version).toBe(1);
    for (let number = 2; number < 8; number++) await serve(number);
    expect(reports().length).toBeLessThanOrEqual(before + 2);
    await lab.clock.advance(REPORT_MS / 10);
    expect(reports().at(-1)?.serving?.version).toBe(7);
  });

  test("compares both versions of a trial on the same rows", async () => {
    const pump = await started("{}");
    const [stable, manifest] = [await version(1, Float32Array.of(3, -2, 2)), await version(2)];
    await lab.server.retainRelease({ sequence: 4, stable, trial: trialOf(manifest, "canary") });
    await lab.clock.advance(2_000);
    await pump.agent.ingest(rows(60, lab.clock.now()));
    const report = await nextReport();
    expect(report).toMatchObject({
      sequence: 4,
      serving: { version: 2, rows: 60, labelled: { rows: 60 } },
      beside: { version: 1, rows: 60, labelled: { rows: 60 } },
      paired: { rows: 60 },
    });
    const difference = report.beside!.labelled.loss - report.serving!.labelled.loss;
    expect(report.paired.sum).toBeCloseTo(difference, 6);
    expect(difference).toBeGreaterThan(40);
  });

  test("names the version that failed here, soon", async () => {
    const pump = await started("{}");
    await pump.agent.ingest(rows(40, lab.clock.now()));
    await serve(1);
    await lab.clock.advance(REPORT_MS);
    const manifest = await version(2, Float32Array.of(3e38, 3e38, 3e38));
    const trial = trialOf(manifest, "canary");
    await lab.server.retainRelease({ sequence: 9, stable: await version(1), trial });
    await lab.clock.advance(REPORT_MS / 10 + 2_000);
    expect(reports().at(-1)).toMatchObject({ sequence: 9, failed: [2], serving: { version: 1 } });
    const failures = [{ version: 2, reason: "self-check", detail: "no finite numbers" }];
    expect(reports().at(-1)).toMatchObject({ failures });
  });

  test("names the version that could not be taken up, until another release comes", async () => {
    const pump = await started("{}");
    await pump.agent.ingest(rows(40, lab.clock.now()));
    await serve(1);
    await lab.clock.advance(REPORT_MS);
    const stable = await version(1);
    const late = await lab.version(2, { expiresMs: 1 });
    await lab.server.retainRelease({ sequence: 9, stable, trial: trialOf(late, "shadow") });
    await lab.clock.advance(REPORT_MS / 10 + 2_000);
    expect(reports().at(-1)).toMatchObject({
      failed: [2],
      failures: [{ version: 2, reason: "expired", detail: "" }],
    });
    await lab.server.retainRelease({ sequence: 10, stable, trial: null });
    await lab.clock.advance(2 * REPORT_MS);
    expect(reports().at(-1)).toMatchObject({ sequence: 10, failed: [] });
  });

  test("comes again once a connection that was lost is back", async () => {
    const pump = await started("{}");
    await serve(1);
    await pump.agent.ingest(rows(30, lab.clock.now()));
    lab.broker.disconnect(pump.id, { abrupt: true });
    await nextReport();
    expect(reports().at(-1)?.serving?.rows).toBe(30);
  });

  test("tells the share of rows that lack a value, of those before the first version as well", async () => {
    const pump = await started("{}");
    const gappy = rows(40, lab.clock.now()).map((reading, i) =>
      i % 4 === 0 ? { ...reading, values: { ...reading.values, a: null } } : reading,
    );
    await pump.agent.ingest(gappy);
    expect((await nextReport()).quality.missing).toBe(0.25);
    expect(pump.agent.monitor()?.quality.missing).toBe(0.25);
  });

  test("tells what the process takes, if the host can say", async () => {
    let cpuMs = 1_000;
    await started("{}", { usage: () => ({ rssBytes: 123, cpuMs }) });
    await serve(1);
    await nextReport();
    cpuMs += REPORT_MS / 4;
    const { resources } = await nextReport();
    expect(resources).toMatchObject({ rssBytes: 123, cpu: 0.25 });
  });

  test("is not made, and nothing is computed for it, where the task does not monitor", async () => {
    const pump = await started(undefined);
    await serve(1);
    await pump.agent.ingest(rows(50, lab.clock.now()));
    await lab.clock.advance(3 * REPORT_MS);
    expect(reports()).toEqual([]);
    expect(pump.agent.monitor()).toBeUndefined();
  });
});

describe("a drift", () => {
  test("of the error is told soon, with the time since when, and ends with another version", async () => {
    const pump = await started("{ data: none }");
    await serve(1);
    const startMs = lab.clock.now();
    await pump.agent.ingest(rows(600, startMs));
    expect(pump.of("drift")).toEqual([]);
    const changedMs = startMs + 600_000;
    await pump.agent.ingest(rows(400, changedMs, 2));
    const [fact] = pump.of("drift");
    expect(fact).toMatchObject({ kind: "concept", isDrifting: true });
    expect(Math.abs(fact!.sinceMs! - changedMs)).toBeLessThan(60_000);
    await lab.clock.advance(REPORT_MS / 10);
    const report = reports().at(-1)!;
    expect(report.drift).toEqual({ isDrifting: true, sinceMs: fact!.sinceMs });
    expect(report.concept).toMatchObject({ status: "drift" });
    await serve(2, Float32Array.of(3, -2, 3));
    expect(pump.of("drift").at(-1)).toMatchObject({ kind: null, isDrifting: false });
  });

  test("of columns is told against the rows that were stored when the version was taken up", async () => {
    const pump = await started("{ concept: none, data: { ks: { rows: 200 } } }");
    const random = randomStream("columns", "drift");
    const drawn = (count: number, startMs: number, off: number): Reading[] =>
      Array.from({ length: count }, (_, i) => ({
        ...{ source: "line", entity: "pump-1", timeMs: startMs + i * 1000 },
        values: { a: random.normal() + off, b: random.normal(), y: random.normal() },
      }));
    const startMs = lab.clock.now();
    await pump.agent.ingest(drawn(1_000, startMs, 0));
    await serve(1);
    await pump.agent.ingest(drawn(600, startMs + 1e6, 0));
    expect(pump.of("drift")).toEqual([]);
    await pump.agent.ingest(drawn(600, startMs + 2e6, 1));
    expect(pump.of("drift").at(0)).toMatchObject({ kind: "data", isDrifting: true });
    await lab.clock.advance(REPORT_MS / 10);
    const { data, drift } = reports().at(-1)!;
    expect(data.columns.filter(({ drifts }) => drifts).map(({ column }) => column)).toContain("a");
    expect(data.columns.find(({ column }) => column === "b")?.drifts).toBe(false);
    // The window that first differed began before the shift, or with it.
    expect(drift.sinceMs).toBeLessThanOrEqual(startMs + 2e6 + 200_000);
    expect(drift.sinceMs).toBeGreaterThan(startMs + 1.7e6);
  });

  test("leads to rounds on what came since: older examples do not count", async () => {
    const pump = await started("{}");
    const startMs = lab.clock.now();
    await pump.agent.ingest(rows(100, startMs));
    const sinceMs = startMs + 50_000;
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest: await version(1), sinceMs });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    const [update] = lab.server.judged;
    const train = Number(
      pump.disk.telemetry.get(
        "SELECT count(*) AS rows FROM example WHERE split = 'train' AND time_ms >= ?",
        sinceMs,
      )?.rows,
    );
    expect(update).toMatchObject({ ok: true, header: { kind: "train", examples: train } });
    lab.server.offer(pump.id, {
      ...{ round: 3, kind: "train", manifest: await version(1) },
      sinceMs: startMs + 99_000,
    });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(lab.server.of("decline")).toMatchObject([{ round: 3, reason: "too-few-examples" }]);
  });
});
