// The slow link of docs/protocol.md, section 9, over both kinds of broker. They run at the same time: each spends
// it waiting.

import { describe, expect, test } from "vitest";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMqttUplink } from "../../shared/transport/mqtt-uplink.js";
import { startBrokerLab } from "../support/broker-lab.js";
import { taskId } from "../support/device-kit.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import type { BrokerUnderTest } from "../support/mqtt-harness.js";
import { transferThrottled } from "../support/throttled-transfer.js";

/** Several times what it takes on an idle machine. */
const TIMEOUT_MS = 240_000;

describe.concurrent("8 MB up and 8 MB down at 256 KiB/s, with a keepalive of 5 s, arrive without one disconnect", () => {
  test("over the embedded broker", () => arrives(embedded), TIMEOUT_MS);
  test.skipIf(!hasMosquitto)(withMosquitto("over Mosquitto"), () => arrives(mosquitto), TIMEOUT_MS);
});

async function arrives(start: () => Promise<BrokerUnderTest>): Promise<void> {
  const { disconnects } = await transferThrottled(await start());
  expect(disconnects).toBe(0);
}

async function embedded(): Promise<BrokerUnderTest> {
  const { broker, tcp } = await startBrokerLab();
  return {
    port: Number(new URL(tcp).port),
    uplink: () => broker.uplink(taskId("t")),
    credentials: (clientId) => ({ username: clientId, password: clientId }),
    close: () => broker.close(),
  };
}

async function mosquitto(): Promise<BrokerUnderTest> {
  const { port, url, close } = await startMosquitto();
  const uplink = createMqttUplink({
    endpoint: { url },
    task: taskId("t"),
    clock: systemClock,
    random: randomStream("test", "uplink"),
    logger: silentLogger,
    counters: new Counters(),
  });
  return { port, uplink: () => uplink, isServing: () => uplink.isConnected, close };
}
