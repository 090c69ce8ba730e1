// What an agent costs the machine it runs on: bytes written to disk per telemetry row, resident memory, and the time
// from a sensor's message to the prediction it leads to, over a real broker, while the agent trains all the time.
// `npm run bench:device [-- --json]`; Linux only (/proc). Real processes: `headwater server` and `headwater device`.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTelemetryBroker } from "../dist/server/broker/telemetry-broker.js";
import { sleep, systemClock } from "../dist/shared/clock.js";
import { silentLogger } from "../dist/shared/log.js";
import { randomStream } from "../dist/shared/random.js";
import { openMqttSession } from "../dist/shared/transport/mqtt-session.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const ROWS = 20_000;
const MESSAGES = 2_000;
const MESSAGES_PER_SECOND = 200;
const START_MS = Date.UTC(2026, 0, 1);
/** Eleven inputs and their lags; every reading is a row, an example one row later, and a prediction at once. */
const FIELDS = Array.from({ length: 11 }, (_, index) => `f${index}`);
const TASK = `task: bench
entity: "{device}"
sources: { s: { mqtt: s/+/t, time: { field: ts, unit: ms } } }
features:
  from: s
  list: [{ copy: [${FIELDS.join(", ")}] }, { lag: { of: f0, rows: 1..6 } }]
  scale: standard
label: { forecast: { of: f0, ahead: { rows: 1 } }, scale: standard }
rows: { keep: { ring: 40000 }, split: { validation: { share: 10%, by: example } } }
model: { dense: [64], output: regression }
train: { epochs: 1, batch: 32, optimizer: { sgd: 0.01 } }
rounds: { cohort: all, minDevices: 1, quorum: 100%, deadline: 10m, minExamples: 1000, max: 100000 }
`;

const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
const children = [];
try {
  const result = await measure();
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function measure() {
  const telemetry = await startTelemetryBroker({ logger: silentLogger });
  const data = join(folder, "server");
  const task = join(folder, "task.yaml");
  writeFileSync(task, TASK);
  await run(["enrol", "pi", "--data", data, "--task", task, "--out", folder]).ended;
  const serve = (address) =>
    run(["server", task, "--data", data, "--listen", address, "--no-http", "--log", "warn"]);
  const server = serve("127.0.0.1:0");
  const [, url] = await server.said(/ready: (\S+)/);
  const config = join(folder, "device.yaml");
  writeFileSync(config, deviceConfig(url, telemetry.url));
  const device = run(["device", config]);
  await device.said(/task adopted/);
  // Telemetry alone first: rounds write as well, but not by the row.
  await server.stop();
  const sensor = await connect(telemetry.url, "sensor", []);
  const before = writtenBytes(device.pid);
  await publishRows(sensor, { from: 0, count: ROWS, perSecond: 2_000 });
  await sleep(systemClock, 3_000);
  const bytesPerRow = (writtenBytes(device.pid) - before) / ROWS;
  serve(new URL(url).host);
  await device.said(/serving a version/);
  const latencyMs = await measureLatency(sensor, telemetry.url);
  const { now, peak } = memoryOf(device.pid);
  return { bytesPerRow: Math.round(bytesPerRow), rssMb: now, peakRssMb: peak, latencyMs };
}

/** From publishing a reading to hearing its prediction, both clocks being this process's. */
async function measureLatency(sensor, telemetryUrl) {
  const sent = new Map();
  const tookMs = [];
  await connect(telemetryUrl, "listener", ["headwater/+/prediction"], ({ payload }) => {
    const { timeMs } = JSON.parse(Buffer.from(payload).toString());
    const sentMs = sent.get(timeMs);
    if (sentMs !== undefined) tookMs.push(performance.now() - sentMs);
  });
  const onPublish = (timeMs) => sent.set(timeMs, performance.now());
  await publishRows(sensor, { from: ROWS, count: MESSAGES, perSecond: MESSAGES_PER_SECOND, onPublish });
  await sleep(systemClock, 1_000);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share) =>
    Math.round(100 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]) / 100;
  return { p50: at(0.5), p99: at(0.99), messages: MESSAGES, answered: sorted.length };
}

async function publishRows(session, { from, count, perSecond, onPublish = () => undefined }) {
  const startMs = performance.now();
  for (let row = from; row < from + count; row++) {
    const dueMs = startMs + ((row - from) / perSecond) * 1000;
    if (dueMs > performance.now()) await sleep(systemClock, dueMs - performance.now());
    const timeMs = START_MS + row * 1000;
    const values = FIELDS.map((name, index) => [name, Math.sin(row / (10 + index)) + index]);
    onPublish(timeMs);
    const payload = Buffer.from(JSON.stringify({ ts: timeMs, ...Object.fromEntries(values) }));
    const published = session.publish("s/pi/t", payload);
    if (row % 50 === 0) await published;
  }
}

function connect(url, clientId, subscriptions, onMessage = () => undefined) {
  return new Promise((resolve) => {
    const session = openMqttSession({
      ...{ endpoint: { url }, clientId, subscriptions, clock: systemClock, logger: silentLogger },
      random: randomStream("bench", clientId),
      onConnected: () => resolve(session),
      onDisconnected: () => undefined,
      onMessage: async (message) => onMessage(message),
    });
  });
}

function run(args) {
  // As deploy/systemd/headwater-device.service has it.
  const options = { MALLOC_ARENA_MAX: "1", NODE_OPTIONS: "--max-semi-space-size=2 --max-old-space-size=56" };
  const env = { ...process.env, ...options };
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  children.push(child);
  let text = "";
  let heard = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (more) => {
      text += more;
      heard();
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${args[0]} ended with ${code}\n${text}`)),
    );
  });
  ended.catch(() => undefined);
  const said = async (pattern) => {
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      await new Promise((resolve) => {
        heard = resolve;
      });
    }
  };
  const stop = () => {
    child.kill();
    return ended;
  };
  return { pid: child.pid, ended, said, stop };
}

function deviceConfig(url, telemetryUrl) {
  return `server: ${url}
credential: pi.credential.json
data: device
sources: { s: { broker: "${telemetryUrl}" } }
predictions: { broker: "${telemetryUrl}" }
`;
}

function writtenBytes(pid) {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))[1]);
}

function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]) / 1024);
  return { now: mb("VmRSS"), peak: mb("VmHWM") };
}

function print({ bytesPerRow, rssMb, peakRssMb, latencyMs }) {
  process.stdout.write(`disk        ${bytesPerRow} bytes written per telemetry row (${ROWS} rows at 2,000/s, in batches of 500)
memory      ${rssMb} MiB resident, ${peakRssMb} MiB at most
prediction  ${latencyMs.p50} ms median, ${latencyMs.p99} ms p99 from message to message, ${MESSAGES_PER_SECOND}/s, training all the time
            ${latencyMs.answered} of ${latencyMs.messages} messages answered
`);
}
