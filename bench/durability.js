// What state that survives costs: messages logged per second and the bytes written for each, messages replayed per
// second, and a checkpoint of so many entities: its bytes and how long it holds up everything else.
// `npm run bench:durability [-- --json]`; Linux only (/proc).

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointStore } from "../dist/device/checkpoint/store.js";
import { logMigrations, RawLog } from "../dist/device/log/raw-log.js";
import { telemetryMigrations } from "../dist/device/storage.js";
import { systemClock } from "../dist/shared/clock.js";
import { Counters } from "../dist/shared/counters.js";
import { silentLogger } from "../dist/shared/log.js";
import { createPipeline } from "../dist/shared/pipeline/pipeline.js";
import { openSqlite } from "../dist/shared/storage/sqlite.js";
import { parseTask } from "../dist/shared/task/parse.js";

const MESSAGES = 100_000;
const ENTITIES = 1_000;
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

const { task } = parseTask(`task: bench
sources: { air: { late: { disorder: 1m } } }
features:
  from: air
  list: [{ copy: [a, b, c, d] }, { lag: { of: [a, b], by: [1m, 5m, 15m] } }, { rolling: { of: [a, b], over: 15m, get: [mean, std, min, max, count] } }]
label: { forecast: { of: a, ahead: 5m } }
model: { dense: [8] }
`);

const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
try {
  const result = { ...benchLog("normal"), full: benchLog("full").logged, ...benchState() };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Logs as a broker with a window of 20 lets it, then decodes and pushes all of it again. */
function benchLog(durability) {
  const path = join(folder, `${durability}.db`);
  const database = openSqlite({ path, durability, migrations: logMigrations });
  const counters = new Counters();
  const log = new RawLog({ database, clock: systemClock, counters, logger: silentLogger, keepMs: 1e9 });
  const before = writtenBytes();
  const loggedMs = took(() => {
    for (let i = 0; i < MESSAGES; i++) {
      log.append(messageAt(i));
      if (i % 20 === 19) log.flush();
    }
  });
  const bytes = (writtenBytes() - before) / MESSAGES;
  const replayedMs = took(() => replay(log));
  database.close();
  return {
    logged: Math.round((1000 * MESSAGES) / loggedMs),
    bytesPerMessage: Math.round(bytes),
    replayed: Math.round((1000 * MESSAGES) / replayedMs),
  };
}

function replay(log) {
  const pipeline = newPipeline();
  let last = 0;
  for (let page = log.read(last, 100); page.length > 0; page = log.read(last, 100)) {
    for (const { payload, arrivalMs } of page) pipeline.push(JSON.parse(Buffer.from(payload)), arrivalMs);
    last = page.at(-1).seq;
  }
}

function benchState() {
  const pipeline = newPipeline();
  for (let i = 0; i < 20 * ENTITIES; i++) pipeline.push(readingAt(i), undefined);
  const database = openSqlite({
    path: join(folder, "telemetry.db"),
    durability: "normal",
    migrations: telemetryMigrations,
  });
  const store = new CheckpointStore(database);
  const mark = { seq: 1, file: "", position: 0 };
  let stateBytes = 0;
  const write = () =>
    took(() => {
      stateBytes = store.write("spec", { mark, pipeline: pipeline.save(), inputs: null });
    });
  const times = Array.from({ length: 5 }, write).toSorted((a, b) => a - b);
  database.close();
  return {
    entities: ENTITIES,
    columns: pipeline.columns.length,
    stateBytes,
    checkpointMs: Math.round(times[2]),
  };
}

function newPipeline() {
  const sink = { features: () => undefined, example: () => undefined };
  return createPipeline(task, { counters: new Counters(), sink });
}

function readingAt(i) {
  const timeMs = START_MS + MINUTE_MS * Math.floor(i / ENTITIES);
  return {
    source: "air",
    entity: `pump-${i % ENTITIES}`,
    timeMs,
    values: { a: i, b: i % 7, c: i % 11, d: 1 },
  };
}

function messageAt(i) {
  const reading = readingAt(i);
  const payload = Buffer.from(JSON.stringify(reading));
  return { source: "air", topic: `air/${reading.entity}`, payload, arrivalMs: reading.timeMs };
}

function took(action) {
  const startMs = systemClock.elapsed();
  action();
  return systemClock.elapsed() - startMs;
}

function writtenBytes() {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))[1]);
}

function print({ logged, full, bytesPerMessage, replayed, entities, columns, stateBytes, checkpointMs }) {
  process.stdout.write(`log         ${logged} messages/s in batches of 20 (durability full: ${full}), ${bytesPerMessage} bytes written for each
replay      ${replayed} messages/s, read, decoded and through the pipeline
checkpoint  ${(stateBytes / 2 ** 20).toFixed(1)} MiB for ${entities} entities x ${columns} columns, ${checkpointMs} ms
`);
}
