// Rules in a device process that is killed: no server, a real broker, real files.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDeviceFolder } from "../../device/host/device-folder.js";
import { keepTask } from "../../device/task-record.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import { deviceId, serverKeys, taskId } from "../support/device-kit.js";
import { linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { Program } from "../support/program.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession, type TestSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const KILLS = 5;

const temp = tempFolder();
let broker: Awaited<ReturnType<typeof startTelemetryBroker>>;
let sensor: TestSession;
let device: Program;

beforeAll(async () => {
  broker = await startTelemetryBroker({ logger: silentLogger });
  sensor = openSession("sensor", { endpoint: { url: broker.url }, subscriptions: ["alarms/#"] });
  await until(() => sensor.connects === 1);
  const serverKey = rawPublicKey(serverKeys.publicKey);
  const credential = {
    ...{ device: deviceId("pi"), task: taskId("linear"), password: "a-password-of-some-length" },
    ...{ privateKey: new Uint8Array(32).fill(1), serverKey },
  };
  temp.write("pi.json", formatCredential(credential));
  temp.write(
    "device.yaml",
    `server: mqtt://127.0.0.1:1
credential: pi.json
data: data
sources: { line: { broker: "${broker.url}", topic: line/+ } }
rules:
  hot:
    of: a
    above: 80
    hysteresis: 5
    publish: { broker: "${broker.url}", topic: "alarms/{device}/{rule}", retain: true }
`,
  );
  adoptTask();
});

afterAll(async () => {
  await device?.stop();
  await sensor.session.close();
  await broker.close();
});

/** As if the server had been there once. */
function adoptTask(): void {
  const memory = createMemoryBroker({ clock: new ManualClock() });
  const folder = openDeviceFolder(join(temp.path, "data"), {
    device: deviceId("pump-1"),
    limits: { diskBytes: 1e9 },
    rawLog: { durability: "normal", bytes: 1e9 },
  });
  keepTask(folder.state, new ScriptedServer(memory, linearTask()).signedTask());
  folder.close();
}

function states(): readonly string[] {
  return sensor.messages.map(({ payload }) => String(JSON.parse(Buffer.from(payload).toString()).state));
}

/** Publishes a value again and again until something new is heard. */
async function publishUntil(value: number, isHeard: () => boolean): Promise<void> {
  await until(async () => {
    const reading = { ts: systemClock.now() / 1000, a: value, b: 0, y: 0 };
    await sensor.session.publish("line/1", Buffer.from(JSON.stringify(reading)));
    return isHeard();
  }, 30_000);
}

test(`an alarm is raised and cleared once, although the device is killed ${KILLS} times while it is raised`, async () => {
  const start = () => Program.start(["device", join(temp.path, "device.yaml")]);
  device = start();
  // Retained, so the first value of all says that it is not raised.
  await publishUntil(10, () => states().length > 0);
  await publishUntil(90, () => states().at(-1) === "raised");
  for (let kill = 0; kill < KILLS; kill++) {
    await device.stop("SIGKILL");
    const heard = states().length;
    device = start();
    // What is retained is said again on every connection: as it is, and from when it was raised.
    await publishUntil(77, () => states().length > heard);
  }
  await publishUntil(70, () => states().at(-1) === "cleared");
  const [, ...news] = sensor.messages.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
  expect(new Set(news.map(({ state, timeMs }) => `${state} ${timeMs}`)).size).toBe(2);
  expect(
    states()
      .slice(1, -1)
      .every((state) => state === "raised"),
  ).toBe(true);
});
