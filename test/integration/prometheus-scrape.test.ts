// A federation of a server and a device that learns and predicts, watched by a real Prometheus; its event files too.

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { loadDeviceConfig } from "../../device/host/config.js";
import { startDeviceHost } from "../../device/host/host.js";
import { startServerHost } from "../../server/host/host.js";
import { silentLogger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { parseTask } from "../../shared/task/parse.js";
import type { ScalarEvent } from "../../shared/tensorboard/event.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { deviceId } from "../support/device-kit.js";
import { readRecords } from "../support/event-file.js";
import { hasPrometheus, type Prometheus, startPrometheus, withPrometheus } from "../support/prometheus.js";
import { smallTask } from "../support/small-task.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const closers: (() => Promise<void>)[] = [];
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const TOKEN = "0123456789abcdef";
// One device is a federation here, and two rounds are all of it.
const task = parseTask(`${smallTask}rows: { split: { validation: { share: 30%, block: 6h } } }
rounds:
  { cohort: all, minDevices: 1, overSelect: 0%, quorum: 100%, deadline: 2h, lease: 1h, minExamples: 20, max: 2 }
evaluate: { every: 1, quorum: 100%, deadline: 2h }
monitor: {}
`);

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer() {
  const anywhere = { host: "127.0.0.1", port: 0 } as const;
  const broker = { kind: "embedded", listeners: [{ kind: "tcp", ...anywhere }] } as const;
  const config = {
    task,
    folder: `${temp.path}/server`,
    broker,
    http: anywhere,
    tensorboard: `${temp.path}/runs`,
  };
  const host = await startServerHost(config, { logger: silentLogger });
  closers.push(() => host.stop());
  return host;
}

async function startDevice(server: Awaited<ReturnType<typeof startServer>>) {
  temp.write("pump-1.json", formatCredential(server.enrolled.enrol(deviceId("pump-1"))));
  const text = `server: ${server.brokerUrls[0]}
credential: pump-1.json
data: device
http: { listen: 127.0.0.1:0, token: ${TOKEN} }
`;
  let nowMs = START_MS;
  const host = await startDeviceHost(loadDeviceConfig(temp.write("device.yaml", text)), {
    logger: silentLogger,
    eventNow: () => nowMs,
  });
  closers.push(() => host.stop());
  await until(() => host.agent.task() !== undefined);
  return {
    ...host,
    async measure(hours: number): Promise<void> {
      const readings = Array.from({ length: hours }, (_, hour): Reading => {
        const timeMs = nowMs + hour * HOUR_MS;
        return { source: "air", entity: "pump-1", timeMs, values: { pm25: 10 + 5 * Math.sin(hour / 4) } };
      });
      nowMs += hours * HOUR_MS;
      await host.agent.ingest(readings);
    },
  };
}

function readRuns(): ScalarEvent[] {
  const folder = `${temp.path}/runs`;
  return readdirSync(folder).flatMap((name) => readRecords(readFileSync(`${folder}/${name}`)));
}

async function firstValue(prometheus: Prometheus, expression: string): Promise<number | undefined> {
  return (await prometheus.query(expression))[0]?.value;
}

test.skipIf(!hasPrometheus)(
  withPrometheus("Prometheus takes in both pages, and what they say is what happened"),
  async () => {
    const server = await startServer();
    const device = await startDevice(server);
    const { port } = device.httpAddress() ?? { port: 0 };
    const prometheus = await startPrometheus([
      { name: "headwater-server", target: new URL(server.httpUrl ?? "").host },
      { name: "headwater-device", target: `127.0.0.1:${port}`, token: TOKEN },
      { name: "without-token", target: `127.0.0.1:${port}` },
    ]);
    closers.push(() => prometheus.close());
    await device.measure(200);
    await until(() => server.server.status().finished !== undefined, 30_000);
    const { stable } = server.server.status();
    await until(() => device.agent.status().serving === stable);
    await device.measure(20);

    await until(() => readRuns().some(({ scalars }) => scalars["version/stable"] === stable));
    const steps = readRuns().filter(({ scalars }) => scalars["train/completed"] === 1);
    expect(steps.map(({ scalars }) => scalars["train/participants"])).toEqual([1, 1]);
    expect(readRuns().some(({ scalars }) => "evaluate/rmse" in scalars)).toBe(true);

    const made = device.agent.predictions({ limit: 1000 }).predictions.length;
    expect(made).toBeGreaterThan(0);
    await until(async () => (await firstValue(prometheus, "headwater_predictions_total")) === made, 20_000);
    const served = "headwater_version{line='stable'}";
    await until(async () => (await firstValue(prometheus, served)) === stable, 20_000);
    await until(async () => !Object.values(await prometheus.health()).includes("unknown"));
    expect(await prometheus.health()).toEqual({
      "headwater-server": "up",
      "headwater-device": "up",
      "without-token": "server returned HTTP status 401 Unauthorized",
    });
    expect(await firstValue(prometheus, "headwater_devices{state='connected'}")).toBe(1);
    expect(await firstValue(prometheus, "headwater_rounds_total{kind='train', outcome='completed'}")).toBe(2);
    expect(await firstValue(prometheus, "headwater_prediction_duration_seconds_count")).toBeGreaterThan(0);
    const [model] = await prometheus.query("headwater_model_info");
    const kept = server.server.versions().find(({ manifest }) => manifest.version === stable);
    expect(model?.labels).toMatchObject({ version: String(stable), sha256: kept?.manifest.sha256 });
    expect(await prometheus.query("{device!=''}")).toEqual([]);
  },
  60_000,
);
