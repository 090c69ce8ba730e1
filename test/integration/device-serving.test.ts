// A whole device, asked over HTTP for what it predicts: the same as what it publishes by itself.

import { expect, test } from "vitest";
import { createHttpApp } from "../../device/http/http.js";
import { inferencePart } from "../../device/http/inference.js";
import { DeviceMeter } from "../../device/metrics/meter.js";
import { silentLogger } from "../../shared/log.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { createDevice } from "../support/device-kit.js";
import { linearReadings, linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { testEngines } from "../support/test-engines.js";

const engines = testEngines();

test("an entity's newest row is predicted under the id, and with the value, that the device gave it", async () => {
  const clock = new ManualClock();
  const broker = createMemoryBroker({ clock });
  const server = new ScriptedServer(broker, linearTask());
  const pump = createDevice({ name: "pump-1", clock, broker, engines, agent: { keepsOnlineRows: true } });
  const { agent } = pump;
  const app = await createHttpApp({
    ...{ config: { host: "127.0.0.1", port: 0, token: undefined }, device: pump.id, agent, clock },
    ...{ logger: silentLogger, counters: agent.counters, parts: [inferencePart] },
    ...{ meter: new DeviceMeter(clock), isTelemetryConnected: () => true, version: "1.2.3", startedMs: 0 },
  });
  const predict = (payload: object) => app.inject({ method: "POST", url: "/predict", payload });
  const notReady = async () => (await app.inject({ url: "/v2/health/ready" })).json().reason;
  await agent.start();
  expect(await notReady()).toBe("no task yet");

  await server.retainTask();
  await clock.until(() => pump.of("task-adopted").length > 0);
  expect(await notReady()).toBe("no version to serve yet");
  expect((await predict({ entity: "pump-1" })).statusCode).toBe(503);

  await server.retainStable(await server.version(1, engines.runtime));
  await clock.until(() => pump.of("serving").length > 0);
  expect(await notReady()).toBeUndefined();
  await agent.ingest(linearReadings("pump-1", 20));
  const published = pump.of("prediction").at(-1)!;
  const answered = (await predict({ entity: "pump-1" })).json();
  const { id, entity, timeMs, value, version } = published;
  expect(answered).toMatchObject({ id, entity, timeMs, value, version });
  expect((await predict({ entity: "pump-2" })).statusCode).toBe(404);

  const { task } = agent.task()!.task;
  const model = (await app.inject({ url: `/v2/models/${task}` })).json();
  expect(model).toMatchObject({ name: task, versions: ["1"] });
  const other = await app.inject({ url: `/v2/models/${task}/versions/2` });
  expect([other.statusCode, other.json().error]).toEqual([404, `${task} has no version 2 here; it has 1`]);
  await app.close();
  pump.kill();
});
