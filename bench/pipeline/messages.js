// From a message's publication to its features over a real broker, 1,000 messages a second. The sensor has a thread of
// its own and stamps each message with the clock that all threads of a machine share.

import { Worker } from "node:worker_threads";
import { Telemetry } from "../../dist/device/host/telemetry.js";
import { defaultSourceLimits } from "../../dist/device/ingest/sources/binding.js";
import { startTelemetryBroker } from "../../dist/server/broker/telemetry-broker.js";
import { sleep, systemClock } from "../../dist/shared/clock.js";
import { Counters } from "../../dist/shared/counters.js";
import { silentLogger } from "../../dist/shared/log.js";
import { createPipeline } from "../../dist/shared/pipeline/pipeline.js";
import { messages } from "./work.js";

const PER_SECOND = 1_000;
const SECONDS = 10;
/** Messages before the first that counts: the compiler's share. */
const WARM_UP = 2_000;

/** Median and 99th percentile in ms, and how many of the messages became features. */
export async function measureMessages() {
  const broker = await startTelemetryBroker({ logger: silentLogger });
  const tookMs = [];
  let seen = 0;
  let sentAt = 0n;
  const telemetry = receive(broker.url, () => {
    seen += 1;
    if (seen > WARM_UP) tookMs.push(Number(process.hrtime.bigint() - sentAt) / 1e6);
  });
  await telemetry.follow(messages.task);
  while (!telemetry.isConnected) await sleep(systemClock, 10);
  const count = WARM_UP + PER_SECOND * SECONDS;
  await publish(broker.url, count);
  await sleep(systemClock, 1_000);
  await telemetry.close();
  await broker.close();
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share) => Math.round(100 * sorted[Math.floor(share * (sorted.length - 1))]) / 100;
  return {
    messageToFeaturesP50Ms: at(0.5),
    messageToFeaturesP99Ms: at(0.99),
    messages: count,
    messagesAnswered: seen,
    messagesPerSecond: PER_SECOND,
  };

  function receive(url, onFeatures) {
    const counters = new Counters();
    const sink = { features: onFeatures, example: () => undefined };
    const pipeline = createPipeline(messages.task, { counters, sink });
    const telemetry = new Telemetry({
      device: "bench",
      bindings: {
        s: {
          kind: "mqtt",
          endpoint: { url },
          topic: undefined,
          isPersistent: false,
          limits: defaultSourceLimits,
        },
      },
      ingest: async (readings) => {
        for (const reading of readings) {
          // Nanoseconds since the machine started: a double holds them whole for a hundred days.
          sentAt = BigInt(reading.values.sent);
          pipeline.push(reading);
        }
      },
      endOfData: async () => undefined,
      clock: systemClock,
      logger: silentLogger,
      counters,
      folder: undefined,
    });
    return telemetry;
  }
}

function publish(url, count) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./sensor.js", import.meta.url), {
      workerData: { url, count, perSecond: PER_SECOND },
    });
    worker.once("error", reject);
    worker.once("exit", resolve);
  });
}
