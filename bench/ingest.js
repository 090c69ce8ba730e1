// How fast the server takes updates in, against a bare broker that throws them away, in one run:
// `npm run bench:ingest [-- --json]`. Fifty devices send 8 MB each, in 64 KiB chunks, four of them under way.
//
// Each run sends everything twice, and the second time counts: a server runs for longer than its code takes to get warm.
//
// The bare broker is Aedes with an `authorizePublish` that drops the payload. The real one is the server of a task
// over its own broker: every update is received, staged, verified, journaled durably, and folded into a version. Devices
// and server are processes of their own, so the memory measured is the server's.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const DEVICES = 50;
const REPEATS = 3;
const MEGABYTE = 1e6;

const runs = { bare: [], real: [] };
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const mode of ["bare", "real"]) runs[mode].push(await measure(mode));
}
report(runs);

/** One run: megabytes per second, and how much the server grew. */
async function measure(mode) {
  const server = start("server.js", mode, String(DEVICES));
  const { url, params } = await told(server, "listening");
  const devices = start("devices.js", mode, url, String(DEVICES), String(params));
  await told(devices, "ready");
  server.send("watch");
  await told(server, "watching");
  devices.send("go");
  const { bytes } = await told(devices, "warm");
  server.send("measure");
  await told(server, "measuring");
  const started = performance.now();
  devices.send("go");
  await told(mode === "bare" ? devices : server, "done");
  const seconds = (performance.now() - started) / 1000;
  server.send("report");
  const { rssAboveBase, cpuSeconds } = await told(server, "report");
  await Promise.all([stop(devices), stop(server)]);
  return {
    mbPerSecond: bytes / MEGABYTE / seconds,
    rssAboveBaseMb: rssAboveBase / MEGABYTE,
    cpuMsPerMb: (1000 * cpuSeconds) / (bytes / MEGABYTE),
  };
}

function start(script, ...args) {
  const child = fork(fileURLToPath(new URL(`ingest/${script}`, import.meta.url)), args, { stdio: "inherit" });
  child.said = new Map();
  child.on("message", (message) => {
    child.said.set(message.type, message);
    child.emit(`said ${message.type}`);
  });
  return child;
}

/** The child's message of a type; throws when it ends first. */
async function told(child, type) {
  while (!child.said.has(type)) {
    await Promise.race([
      once(child, `said ${type}`),
      once(child, "exit").then(([code]) => {
        throw new Error(`${child.spawnargs.slice(1).join(" ")} ended with ${code} before it was ${type}`);
      }),
    ]);
  }
  return child.said.get(type);
}

async function stop(child) {
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}

function report({ bare, real }) {
  const figure = (list, key) => median(list.map((run) => run[key]));
  const result = {
    ratio: figure(real, "mbPerSecond") / figure(bare, "mbPerSecond"),
    mbPerSecond: figure(real, "mbPerSecond"),
    bareMbPerSecond: figure(bare, "mbPerSecond"),
    rssAboveBaseMb: Math.max(...real.map((run) => run.rssAboveBaseMb)),
  };
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const line = (name, list) =>
    `${name}: ${figure(list, "mbPerSecond").toFixed(0)} MB/s, ${figure(list, "cpuMsPerMb").toFixed(1)} ms CPU per MB, ` +
    `${Math.max(...list.map((run) => run.rssAboveBaseMb)).toFixed(0)} MB above base at most\n`;
  process.stdout.write(line("bare Aedes sink", bare));
  process.stdout.write(line("verified, journaled, folded", real));
  process.stdout.write(`ratio ${result.ratio.toFixed(2)}\n`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
