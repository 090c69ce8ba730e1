// A device agent at work: a telemetry broker in this process, and real processes for `headwater server` and
// `headwater device`, on loopback. What a sensor publishes, and what the processes say.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTelemetryBroker } from "../../dist/server/broker/telemetry-broker.js";
import { sleep, systemClock } from "../../dist/shared/clock.js";
import { silentLogger } from "../../dist/shared/log.js";
import { randomStream } from "../../dist/shared/random.js";
import { openMqttSession } from "../../dist/shared/transport/mqtt-session.js";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const UNIT = new URL("../../deploy/systemd/headwater-device.service", import.meta.url);
const START_MS = Date.UTC(2026, 0, 1);
/** Eleven inputs and their lags; every reading is a row, an example one row later, and a prediction at once. */
const FIELDS = Array.from({ length: 11 }, (_, index) => `f${index}`);

/** Rows of a training batch. */
export const BATCH = 32;

/** The task, with room for `ring` examples; a device with `minExamples` trains round after round without a pause. */
export const benchTask = ({ ring, minExamples }) => `task: bench
entity: "{device}"
sources: { s: { mqtt: s/+/t, time: { field: ts, unit: ms } } }
features:
  from: s
  list: [{ copy: [${FIELDS.join(", ")}] }, { lag: { of: f0, rows: 1..6 } }]
  scale: standard
label: { forecast: { of: f0, ahead: { rows: 1 } }, scale: standard }
rows: { keep: { ring: ${ring} }, split: { validation: { share: 10%, by: example } } }
model: { dense: [64], output: regression }
train: { epochs: 1, batch: ${BATCH}, optimizer: { sgd: 0.01 } }
rounds: { cohort: all, minDevices: 1, quorum: 100%, deadline: 10m, minExamples: ${minExamples}, max: 100000 }
`;

/** What the systemd unit sets in a device's environment. */
export function unitEnvironment() {
  const lines = readFileSync(UNIT, "utf8").matchAll(/^Environment="?([A-Z_]+)=([^"\n]*)"?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/**
 * Starts broker, server and an enrolled device in `folder`, and resolves when the device has the task. `main` is the
 * program the device runs, `env` is added to its environment.
 */
export async function startRig({ folder, task, env = {}, main = MAIN }) {
  const processes = [];
  const start = (program, args, added) => {
    const started = startProcess(program, args, added);
    processes.push(started);
    return started;
  };
  const telemetry = await startTelemetryBroker({ logger: silentLogger });
  const data = join(folder, "server");
  const file = join(folder, "task.yaml");
  writeFileSync(file, task);
  await start(MAIN, ["enrol", "pi", "--data", data, "--task", file, "--out", folder]).ended;
  const serve = (address) =>
    start(MAIN, ["server", file, "--data", data, "--listen", address, "--no-http", "--log", "warn"]);
  const server = serve("127.0.0.1:0");
  const [, url] = await server.said(/ready: (\S+)/);
  const config = join(folder, "device.yaml");
  writeFileSync(config, deviceConfig(url, telemetry.url));
  const device = start(main, ["device", config], env);
  const [, engine] = await device.said(/"engine":"([^"]+)",[^\n]*"model built"/);
  await device.said(/task adopted/);
  return {
    device,
    /** What runs its model. */
    engine,
    server,
    telemetryUrl: telemetry.url,
    /** The device's own database of examples. */
    examplesPath: join(folder, "device", "telemetry.db"),
    serveAgain: () => serve(new URL(url).host),
    async close() {
      for (const started of processes) started.kill();
      await telemetry.close();
    },
  };
}

/** A session of this process on the broker at `url`, connected. */
export function connect(url, clientId, subscriptions, onMessage = () => undefined) {
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

/** Publishes readings `from`, `from` + 1, ... of the device, so many a second, until there are `count` or `signal`. */
export async function publishRows(session, { from, count, perSecond, onPublish = () => undefined, signal }) {
  const startMs = performance.now();
  for (let row = from; row < from + count && !signal?.aborted; row++) {
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

/** Memory of a process, in MB (1e6 bytes): all that is resident, its share of files, the rest, and the most so far. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]) * 1024) / 1e6;
  return { rssMb: mb("VmRSS"), fileMb: mb("RssFile"), anonMb: mb("RssAnon"), peakMb: mb("VmHWM") };
}

function startProcess(main, args, added = {}) {
  const env = { ...process.env, ...added };
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  let text = "";
  let isOver = false;
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
  child.on("close", () => {
    isOver = true;
    heard();
  });
  /** The first match in what it said since the last one. Rejects when it has ended without. */
  const said = async (pattern) => {
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) {
        text = text.slice(match.index + match[0].length);
        return match;
      }
      if (isOver) throw new Error(`${args[0]} ended and had not said ${pattern}\n${text}`);
      await new Promise((resolve) => {
        heard = resolve;
      });
    }
  };
  const stop = () => {
    child.kill();
    return ended;
  };
  return { pid: child.pid, ended, said, stop, kill: () => child.kill("SIGKILL") };
}

function deviceConfig(url, telemetryUrl) {
  return `server: ${url}
credential: pi.credential.json
data: device
sources: { s: { broker: "${telemetryUrl}" } }
predictions: { broker: "${telemetryUrl}" }
`;
}
