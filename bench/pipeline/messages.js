// From a message's publication to its features over a real broker, 1,000 messages a second, the raw log included. The
// sensor has a thread of its own and stamps each message with the clock that all threads of a machine share.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { START } from "../../dist/device/checkpoint/mark.js";
import { Telemetry } from "../../dist/device/host/telemetry.js";
import { EventClock } from "../../dist/device/ingest/clock.js";
import { Inputs } from "../../dist/device/ingest/inputs.js";
import { defaultSourceLimits } from "../../dist/device/ingest/sources/binding.js";
import { logMigrations, RawLog } from "../../dist/device/log/raw-log.js";
import { Recorder } from "../../dist/device/log/recorder.js";
import { startTelemetryBroker } from "../../dist/server/broker/telemetry-broker.js";
import { sleep, systemClock } from "../../dist/shared/clock.js";
import { Counters } from "../../dist/shared/counters.js";
import { silentLogger } from "../../dist/shared/log.js";
import { createPipeline } from "../../dist/shared/pipeline/pipeline.js";
import { openSqlite } from "../../dist/shared/storage/sqlite.js";
import { messages } from "./work.js";

const PER_SECOND = 1_000;
const SECONDS = 10;
/** Messages before the first that counts: the compiler's share, and the warm-up of the windows. */
const WARM_UP = 2_000;

/** Median and 99th percentile in ms, and how many of the messages became features. */
export async function measureMessages() {
  const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  const broker = await startTelemetryBroker({ logger: silentLogger });
  const receiver = receive(broker.url, folder);
  try {
    await receiver.telemetry.follow(messages.task);
    while (!receiver.telemetry.isConnected) await sleep(systemClock, 10);
    const count = WARM_UP + PER_SECOND * SECONDS;
    await publish(broker.url, count);
    await sleep(systemClock, 1_000);
    const sorted = receiver.tookMs.slice(WARM_UP).toSorted((a, b) => a - b);
    const at = (share) => Math.round(100 * sorted[Math.floor(share * (sorted.length - 1))]) / 100;
    return {
      messageToFeaturesP50Ms: at(0.5),
      messageToFeaturesP99Ms: at(0.99),
      messages: count,
      messagesAnswered: receiver.tookMs.length,
      messagesPerSecond: PER_SECOND,
    };
  } finally {
    await receiver.close();
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sources, log and pipeline as a device has them, without the device around them. */
function receive(url, folder) {
  const tookMs = [];
  let sentAt = 0;
  const common = { device: "bench", clock: systemClock, logger: silentLogger, counters: new Counters() };
  const database = openSqlite({
    path: join(folder, "log.db"),
    migrations: logMigrations,
    durability: "normal",
  });
  const eventClock = new EventClock(systemClock, undefined);
  const inputs = new Inputs(eventClock);
  const pipeline = createPipeline(messages.task, {
    counters: common.counters,
    sink: {
      features: () => tookMs.push((Number(process.hrtime.bigint()) - sentAt) / 1e6),
      example: () => undefined,
    },
  });
  const agent = {
    resume: () => START,
    caughtUp: () => undefined,
    endOfData: async () => undefined,
    receive({ readings }) {
      for (const reading of readings) {
        // Nanoseconds since the machine started: a double holds them whole for a hundred days.
        sentAt = reading.values.sent;
        pipeline.push(reading);
      }
    },
  };
  const log = new RawLog({ ...common, database, keepMs: 60_000 });
  const recorder = new Recorder({ ...common, log, agent, inputs });
  const binding = { kind: "mqtt", endpoint: { url }, topic: undefined, isPersistent: false };
  const telemetry = new Telemetry({
    ...common,
    bindings: { s: { ...binding, limits: defaultSourceLimits } },
    ...{ recorder, inputs, agent, folder, eventClock },
  });
  return {
    telemetry,
    tookMs,
    async close() {
      await telemetry.close();
      recorder.close();
      database.close();
    },
  };
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
