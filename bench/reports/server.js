// The server's process of bench/reports.js: a real server over a database file, with its API and without a broker: its parent
// measures what a report costs once it has been received. Told which build to run, and how many devices there are.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openFleetFolder } from "../../dist/server/host/fleet-folder.js";

const { checkout, devices: count, rounds } = JSON.parse(process.argv[2]);
const from = (path) => import(resolve(checkout, "dist", path));
const { openServerFolder } = await from("server/host/server-folder.js");
const { startHttp } = await from("server/http/http.js");
const { ServerMeter } = await from("server/metrics/meter.js");
const { RoundHistory } = await from("server/round/history.js");
const { createServer } = await from("server/server.js");
const { systemClock: clock } = await from("shared/clock.js");
const { Counters } = await from("shared/counters.js");
const { silentLogger: logger } = await from("shared/log.js");
const { emptyMetricSums } = await from("shared/model/metric.js");
const { createTfjsRuntime } = await from("shared/model/tfjs.js");
const { planPipeline } = await from("shared/pipeline/plan.js");
const { parseTask } = await from("shared/task/parse.js");
const { encodeMessage } = await from("shared/wire/message.js");
const { topics } = await from("shared/wire/topic.js");

// Nobody trains here, and nobody learns anew: a twentieth of the fleet drifts.
const yaml = readFileSync(resolve(checkout, "examples/pumps/drift.yaml"), "utf8")
  .replace("report: 1s", "report: 1m")
  .replace("data: none", "data: ks");
const loaded = parseTask(yaml);
const { task } = loaded;
const { columns } = planPipeline(task);
const path = mkdtempSync(join(tmpdir(), "headwater-bench-"));
process.on("exit", () => rmSync(path, { recursive: true, force: true }));
process.on("disconnect", () => process.exit());
const ids = Array.from({ length: count }, (_, at) => `pump-${String(at).padStart(5, "0")}`);
enrolAll();
const folder = openServerFolder(path, { task: task.task, clock, seed: "bench" });
remember(new RoundHistory(folder.database));

let deliver;
const uplink = {
  open: (handler) => {
    deliver = handler;
  },
  send: async () => undefined,
  retain: async () => undefined,
  close: async () => undefined,
};
const meter = new ServerMeter({ output: task.model.output, elapsed: () => clock.elapsed() });
const server = await createServer({
  ...{ task: loaded, database: folder.database, uplink, clock, logger, keys: folder.keys, seed: "bench" },
  ...{ devices: folder.enrolled, runtime: await createTfjsRuntime("tfjs-cpu") },
  observe: (fact) => meter.observe(fact),
});
await server.start();
const http = await startHttp({
  ...{ host: "127.0.0.1", port: 0, logger },
  metrics: { meter, reports: () => server.reports(), alerts: () => [] },
  sources: {
    ...{ task, source: loaded, version: "bench", server, enrolled: folder.enrolled, clock, startedMs: 0 },
    ...{ brokerCounters: new Counters(), notReady: () => undefined },
    broker: () => ({ kind: "external", urls: [], isConnected: true }),
    drift: await driftSource(),
  },
});
for (const id of ids) await say(id, "hello", hello());
for (let at = 0; at < count; at++) await report(at);

const orders = {
  /** So many reports as fast as they go. */
  reports: async ({ reports }) => {
    for (let at = 0; at < reports; at++) await report((at * 7919) % count);
  },
  /** One, and soon after it another. */
  pace: async ({ everyMs, forMs }) => {
    for (let at = 0, beganMs = clock.elapsed(); clock.elapsed() - beganMs < forMs; at++) {
      await report((at * 7919) % count);
      const waitMs = beganMs + (at + 1) * everyMs - clock.elapsed();
      if (waitMs > 0) await new Promise((done) => clock.after(waitMs, done));
    }
  },
};

process.on("message", async ({ order, ...options }) => {
  const [began, beganMs] = [process.cpuUsage(), clock.elapsed()];
  await orders[order](options);
  const { user, system } = process.cpuUsage(began);
  process.send({ type: "done", cpuMs: (user + system) / 1000, tookMs: clock.elapsed() - beganMs });
});
process.send({ type: "ready", url: http.url });

/** By the build beside this file: older ones may hang while they make keys. */
function enrolAll() {
  const folder = openFleetFolder(path, { task: task.task, clock });
  for (const id of ids) folder.enrolled.enrol(id);
  folder.close();
}

/** Of this build; older ones have a function. */
async function driftSource() {
  try {
    const { DriftSource } = await from("server/http/drift-view.js");
    return new DriftSource({ task, server, clock });
  } catch {
    const { driftView } = await from("server/http/monitor-views.js");
    return () => driftView(server.reports(), task);
  }
}

/** A history as long as it gets; every other round has scored a version. */
function remember(history) {
  const pooled = {
    ...emptyMetricSums,
    rows: 1000,
    squaredError: 100,
    absoluteError: 100,
    loss: 100,
    correct: 900,
  };
  const ending = {
    closedMs: 1,
    outcome: "completed",
    version: undefined,
    members: 8,
    accepted: 8,
    rejected: 0,
  };
  folder.database.transaction(() => {
    for (let round = 1; round <= rounds; round++) {
      const isScored = round % 2 === 0;
      history.begin({ round, kind: isScored ? "evaluate" : "train", baseVersion: 1 + round, openedMs: 0 });
      history.end(round, ending);
      if (isScored) history.score(round, pooled);
    }
  });
}

function say(device, kind, message) {
  return deliver({
    topic: topics.up(task.task, device, kind),
    payload: encodeMessage(message),
    clientId: device,
  });
}

function hello() {
  const examples = { train: 1000, validation: 100 };
  const { taskHash } = loaded;
  return { v: 1, taskHash, stable: null, eligible: false, reason: "quiet-hours", examples, pending: null };
}

function report(at) {
  const isDrifting = at % 20 === 0;
  const side = { version: 0, rows: 5000, invalid: 0, totalUs: 500_000, labelled: emptyMetricSums };
  return say(ids[at], "report", {
    ...{ v: 1, sequence: 1, ageMs: 3_600_000, serving: side, beside: null, failed: [] },
    paired: { rows: 0, sum: 0, squares: 0 },
    window: { ...emptyMetricSums, rows: 500, correct: 480, loss: 40 },
    data: {
      ...{ tested: columns.length, drifting: Number(isDrifting) },
      columns: columns.map((column, place) => ({
        ...{ column, effect: isDrifting && place === 0 ? 0.5 : 0.05, drifts: isDrifting && place === 0 },
      })),
    },
    concept: { status: "ok", detections: 0 },
    drift: { isDrifting, sinceMs: isDrifting ? 1_700_000_000_000 : null },
    quality: { missing: 0.01, refused: 0 },
    resources: { rssBytes: 118_000_000, cpu: 0.04, unlabelled: 12, examples: 40_000 },
  });
}
