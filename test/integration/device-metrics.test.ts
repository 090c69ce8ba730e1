// A device as its process runs it, asked over HTTP.

import { describe, expect, test } from "vitest";
import { loadDeviceConfig } from "../../device/host/config.js";
import { startDeviceHost } from "../../device/host/host.js";
import { createHttpApp } from "../../device/http/http.js";
import { metricsPart } from "../../device/http/metrics.js";
import { DeviceMeter } from "../../device/metrics/meter.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { createDevice, deviceId, taskId } from "../support/device-kit.js";
import { linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { tempFolder } from "../support/temp-folder.js";
import { testEngines } from "../support/test-engines.js";

const temp = tempFolder();
const token = "0123456789abcdef";

test("answers for itself without a server, to who has its token, and to nobody once it has stopped", async () => {
  const credential = {
    ...{ device: deviceId("pump-1"), task: taskId("linear"), password: "a-password-of-some-length" },
    ...{ privateKey: Buffer.alloc(32, 1), serverKey: Buffer.alloc(32, 2) },
  };
  temp.write("pump-1.json", formatCredential(credential));
  const text = `server: mqtt://127.0.0.1:1
credential: pump-1.json
data: data
http: { listen: 127.0.0.1:0, token: ${token} }
`;
  const host = await startDeviceHost(loadDeviceConfig(temp.write("device.yaml", text)), {
    logger: silentLogger,
  });
  const url = `http://127.0.0.1:${host.httpAddress()?.port}`;
  try {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    const page = await (await fetch(`${url}/metrics`, { headers })).text();
    expect(page).toContain('headwater_connected{link="server"} 0\n');
    expect(page).toContain('headwater_events_total{part="http",reason="unauthorized"} 1\n');
    expect((await fetch(`${url}/health/live`, { headers })).status).toBe(200);
    expect(await (await fetch(`${url}/health/ready`, { headers })).json()).toEqual({
      status: "not-ready",
      reason: "no task yet",
    });
  } finally {
    await host.stop();
  }
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();
});

describe("a task's monitor", () => {
  const engines = testEngines();

  /** A device that serves y = 3a - 2b + 1, and its page; `predict` gives it so many rows, their columns off by so much. */
  async function serving(monitor: string) {
    const clock = new ManualClock();
    const broker = createMemoryBroker({ clock });
    const server = new ScriptedServer(broker, linearTask());
    await server.retainTask(server.signedTask(linearTask({ rest: monitor })));
    const meter = new DeviceMeter(clock);
    const pump = createDevice({
      ...{ name: "pump-1", clock, broker, engines, agent: { observe: (fact) => meter.observe(fact) } },
    });
    const { agent } = pump;
    const app = await createHttpApp({
      ...{ config: { host: "127.0.0.1", port: 0, token: undefined }, device: pump.id, agent, clock, meter },
      ...{ logger: silentLogger, counters: agent.counters, parts: [metricsPart] },
      ...{ isTelemetryConnected: () => true, version: "1.2.3", startedMs: 0 },
    });
    await agent.start();
    await server.retainStable(
      await server.version(1, engines.runtime, { params: Float32Array.of(3, -2, 1) }),
    );
    await clock.until(() => agent.status().serving === 1);
    const random = randomStream("device-metrics", "rows");
    let timeMs = clock.now();
    const predict = async (count: number, off: number) => {
      for (let i = 0; i < count; i++) {
        const [a, b] = [random.normal() + off, random.normal()];
        timeMs += 1000;
        const values = { a, b, y: 3 * a - 2 * b + 1 + random.normal() };
        await agent.ingest([{ source: "line", entity: "pump-1", timeMs, values }]);
      }
    };
    const page = async () => (await app.inject({ url: "/metrics" })).body;
    const stop = async () => {
      pump.kill();
      await app.close();
    };
    return { predict, page, stop };
  }

  test("is on the page: quality, faulty rows, columns and errors that drift", async () => {
    const { predict, page, stop } = await serving("monitor: { data: { ks: { rows: 100 } } }");
    await predict(600, 0);
    const before = await page();
    expect(before).toMatch(/^headwater_quality\{metric="rmse"\} \d/m);
    expect(before).toContain('headwater_row_ratio{fault="missing"} 0\n');
    expect(before).toContain('headwater_row_ratio{fault="refused"} 0\n');
    expect(before).toMatch(/^headwater_data_drift_statistic\{column="a"\} \d/m);
    expect(before).toContain('headwater_data_drift_alarm{column="a"} 0\n');
    expect(before).toContain("headwater_concept_drift_alarm 0\n");
    expect(before).toContain('headwater_drift_alarms_total{kind="data"} 0\n');
    await predict(600, 3);
    const after = await page();
    expect(after).toContain('headwater_data_drift_alarm{column="a"} 1\n');
    expect(after).toContain('headwater_data_drift_alarm{column="b"} 0\n');
    expect(after).toMatch(/^headwater_drift_alarms_total\{kind="data"\} [1-9]/m);
    await stop();
  });

  test("says nothing of what it does not watch, and without one nothing is said", async () => {
    const blind = await serving("monitor: { concept: none, data: none }");
    await blind.predict(50, 0);
    expect(await blind.page()).toMatch(/^headwater_quality\{/m);
    expect(await blind.page()).not.toMatch(/^headwater_(?:data|concept)_drift/m);
    await blind.stop();
    const none = await serving("");
    await none.predict(50, 0);
    expect(await none.page()).not.toMatch(/^headwater_(?:quality|row_ratio|data_drift|concept_drift|drift)/m);
    await none.stop();
  });
});
