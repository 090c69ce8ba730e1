// The server's half of the ingest bench: `bare` Aedes, or the `real` server of a task. Run by ../ingest.js.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { startBroker } from "../../dist/server/broker/broker.js";
import { VerifyThread } from "../../dist/server/ingest/verify-thread.js";
import { createServer } from "../../dist/server/server.js";
import { serverMigrations } from "../../dist/server/storage.js";
import { systemClock } from "../../dist/shared/clock.js";
import { Counters } from "../../dist/shared/counters.js";
import { createLogger } from "../../dist/shared/log.js";
import { createTfjsRuntime } from "../../dist/shared/model/tfjs.js";
import { openSqlite } from "../../dist/shared/storage/sqlite.js";
import { parseTask } from "../../dist/shared/task/parse.js";
import { keysFromSeed } from "../../dist/shared/wire/signature.js";
import { benchTask, deviceKeys, paramCount, SERVER_SEED } from "./task.js";

const SAMPLE_MS = 25;

const [mode, devices] = [process.argv[2], Number(process.argv[3])];
const tell = (type, fields = {}) => process.send({ type, ...fields });
const close = mode === "bare" ? await serveBare() : await serveReal();

let memory;
let cpu;
const orders = {
  // Before the first update: the server has started and knows its devices.
  watch() {
    memory = { base: process.memoryUsage.rss(), peak: 0 };
    setInterval(() => {
      memory.peak = Math.max(memory.peak, process.memoryUsage.rss());
    }, SAMPLE_MS).unref();
    tell("watching");
  },
  measure() {
    cpu = process.cpuUsage();
    tell("measuring");
  },
  report() {
    const { user, system } = process.cpuUsage(cpu);
    tell("report", { rssAboveBase: memory.peak - memory.base, cpuSeconds: (user + system) / 1e6 });
  },
};
process.on("message", (order) => orders[order]());
process.on("disconnect", async () => {
  await close();
  process.exit(0);
});

async function serveBare() {
  const empty = Buffer.alloc(0);
  const aedes = await Aedes.createBroker({
    authorizePublish: (_, packet, done) => {
      packet.payload = empty;
      done(null);
    },
  });
  const server = createTcpServer({ noDelay: true }, aedes.handle);
  server.listen(0, "127.0.0.1", () => {
    tell("listening", { url: `mqtt://127.0.0.1:${server.address().port}`, params: paramCount });
  });
  return () => aedes.close();
}

async function serveReal() {
  const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  const logger = createLogger("warn");
  const counters = new Counters();
  const broker = await startBroker({
    listeners: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    isKnown: () => true,
    ...{ clock: systemClock, logger, counters },
  });
  const task = parseTask(benchTask(devices));
  const database = openSqlite({
    path: join(folder, "server.db"),
    durability: "full",
    migrations: serverMigrations,
  });
  const keys = new Map();
  let rounds = 0;
  const server = await createServer({
    ...{ task, database, logger, clock: systemClock, seed: "bench" },
    uplink: broker.uplink(task.task.task),
    keys: keysFromSeed(SERVER_SEED),
    devices: {
      publicKey(device) {
        if (!keys.has(device)) keys.set(device, deviceKeys(device).publicKey);
        return keys.get(device);
      },
    },
    runtime: await createTfjsRuntime("tfjs-cpu"),
    observe: (fact) => {
      if (fact.type === "round-closed") {
        if (fact.folded.length !== devices)
          throw new Error(`${fact.folded.length} of ${devices} were folded`);
        // The first round only warms up.
        if (++rounds === 2) tell("done");
      }
    },
    limits: { chunkBytes: 64 * 1024 },
    stagingFolder: join(folder, "staging"),
    verifyThread: VerifyThread.start(),
  });
  server.failed.catch((error) => {
    throw error;
  });
  await server.start();
  tell("listening", { url: broker.urls[0], params: paramCount });
  return async () => {
    await server.stop();
    await broker.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
}
