import { describe } from "vitest";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMqttUplink, type MqttUplink } from "../../shared/transport/mqtt-uplink.js";
import { taskId } from "../support/device-kit.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { mqttHarness } from "../support/mqtt-harness.js";
import { transportContract } from "./transport.js";

describe.skipIf(!hasMosquitto)(withMosquitto("a foreign broker"), () => {
  transportContract(
    "MQTT over Mosquitto",
    async () => {
      const mosquitto = await startMosquitto();
      const uplinks = new Set<MqttUplink>();
      return mqttHarness({
        port: mosquitto.port,
        uplink() {
          const uplink = createMqttUplink({
            endpoint: { url: mosquitto.url },
            task: taskId("t"),
            clock: systemClock,
            random: randomStream("test", "uplink"),
            logger: silentLogger,
            counters: new Counters(),
          });
          uplinks.add(uplink);
          return uplink;
        },
        isServing: (uplink) => [...uplinks].some((known) => known === uplink && known.isConnected),
        close: () => mosquitto.close(),
      });
    },
    { acknowledges: "queued", knowsSender: false },
  );
});
