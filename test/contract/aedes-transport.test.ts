// The transport over the embedded broker.

import { startBrokerLab, task } from "../support/broker-lab.js";
import { mqttHarness } from "../support/mqtt-harness.js";
import { transportContract } from "./transport.js";

transportContract("the embedded broker", async () => {
  const { broker, tcp } = await startBrokerLab();
  return mqttHarness({
    port: Number(new URL(tcp).port),
    uplink: () => broker.uplink(task("t")),
    credentials: (clientId) => ({ username: clientId, password: clientId }),
    close: () => broker.close(),
  });
});
