// The server's process of bench/fleet.js: the real server on the embedded broker and a database file. Told what to serve
// by its parent, and asked for its memory.

import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "../dist/server/broker/broker.js";
import { createServer } from "../dist/server/server.js";
import { serverMigrations } from "../dist/server/storage.js";
import { systemClock } from "../dist/shared/clock.js";
import { Counters } from "../dist/shared/counters.js";
import { createLogger } from "../dist/shared/log.js";
import { createTfjsRuntime } from "../dist/shared/model/tfjs.js";
import { openSqlite } from "../dist/shared/storage/sqlite.js";
import { parseTask } from "../dist/shared/task/parse.js";
import { generateKeys } from "../dist/shared/wire/signature.js";

process.on("message", (message) => {
  if (message.type === "serve") void serve(message);
});

async function serve({ yaml, devices }) {
  const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.on("disconnect", () => process.exit());
  const keys = new Map(
    Object.entries(devices).map(([device, key]) => [device, createPublicKey({ key, format: "pem" })]),
  );
  const task = parseTask(yaml);
  const parts = { clock: systemClock, logger: createLogger("warn") };
  const counters = new Counters();
  const broker = await startBroker({
    ...{ ...parts, counters, isKnown: (device) => keys.has(device) },
    listeners: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
  });
  const path = join(folder, "server.db");
  const server = await createServer({
    ...{ ...parts, task, seed: "bench", keys: generateKeys() },
    runtime: await createTfjsRuntime("tfjs-wasm"),
    database: openSqlite({ path, durability: "full", migrations: serverMigrations }),
    uplink: broker.uplink(task.task.task),
    devices: { publicKey: (device) => keys.get(device) },
    observe: (fact) => report(fact),
  });
  await server.start();
  process.on("message", ({ type, id }) => {
    if (type !== "status") return;
    globalThis.gc?.();
    process.send({ type: "status", id, residentBytes: residentBytes(), counters: server.counters.toJSON() });
  });
  process.send({ type: "ready", url: broker.urls[0] });
}

function report(fact) {
  const { type, round, kind, outcome } = fact;
  if (type === "round-opened" || type === "round-closed") process.send({ type, round, kind, outcome });
  if (type === "finished") process.send({ type });
}

function residentBytes() {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}
