// What ten thousand devices that report once a minute cost their server: each report, what people and Prometheus ask for
// meanwhile, and a dashboard that is open. `npm run bench:reports [-- --devices 10000 --against CHECKOUT --json]`; with
// another checkout, built, of this repository both are measured in turns, and the ratio is that of one run.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    devices: { type: "string", default: "10000" },
    against: { type: "string" },
    turns: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const devices = Number(values.devices);
const HERE = fileURLToPath(new URL("..", import.meta.url));
/** As many as a server remembers. */
const ROUNDS = 10_000;
const REPORTS = 2_000;
const ASKED = 10;
const PACE_FOR_MS = 10_000;
const PAGES = ["/api/status", "/api/devices?limit=100", "/api/metrics?limit=500", "/api/drift", "/metrics"];

const checkouts = { ...(values.against && { before: values.against }), now: HERE };
const runs = Object.fromEntries(Object.keys(checkouts).map((name) => [name, []]));
for (let turn = 0; turn < Number(values.turns); turn++) {
  for (const [name, checkout] of Object.entries(checkouts)) runs[name].push(await measure(checkout));
}
const result = Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, medians(all)]));
if (values.json) process.stdout.write(`${JSON.stringify({ devices, ...result })}\n`);
else print(result);

/** One process of the server, in milliseconds and shares of one core. */
async function measure(checkout) {
  const told = JSON.stringify({ checkout, devices, rounds: ROUNDS });
  const child = fork(fileURLToPath(new URL("reports/server.js", import.meta.url)), [told]);
  const { url } = await next(child);
  const tell = (order, options) => {
    child.send({ order, ...options });
    return next(child);
  };
  // The first ones are for the engine to get warm.
  await tell("reports", { reports: REPORTS });
  const { cpuMs, tookMs } = await tell("reports", { reports: REPORTS });
  const measured = { "a report, ms": tookMs / REPORTS, "a report, ms of a core": cpuMs / REPORTS };
  for (const page of PAGES) measured[`${page}, ms`] = await ask(url + page, tell);
  measured["reports alone, share of a core"] = await pace(tell);
  const end = new AbortController();
  const watching = watch(`${url}/api/events`, end.signal);
  measured["with a dashboard open, share of a core"] = await pace(tell);
  end.abort();
  await watching;
  child.disconnect();
  await once(child, "exit");
  return measured;
}

/** The median of several; one report between two of them, so that the answer is never the one before. */
async function ask(url, tell) {
  const times = [];
  for (let asked = 0; asked < ASKED; asked++) {
    await tell("reports", { reports: 1 });
    const beganMs = performance.now();
    const response = await fetch(url);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    times.push(performance.now() - beganMs);
  }
  return median(times);
}

/** Every device once a minute. */
async function pace(tell) {
  const { cpuMs, tookMs } = await tell("pace", { everyMs: 60_000 / devices, forMs: PACE_FOR_MS });
  return cpuMs / tookMs;
}

async function watch(url, signal) {
  try {
    const { body } = await fetch(url, { signal });
    for await (const _ of body);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The child's next message; its end is an error. */
function next(child) {
  return new Promise((resolve, reject) => {
    const end = (code) => reject(new Error(`the server ended with ${code}`));
    child.once("exit", end);
    child.once("message", (message) => {
      child.off("exit", end);
      resolve(message);
    });
  });
}

function medians(all) {
  return Object.fromEntries(Object.keys(all[0]).map((name) => [name, median(all.map((run) => run[name]))]));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function print({ before, now }) {
  const head = before === undefined ? ["now"] : ["before", "now", "ratio"];
  process.stdout.write(`| ${devices} devices | ${head.join(" | ")} |\n|---|${"---|".repeat(head.length)}\n`);
  for (const [name, value] of Object.entries(now)) {
    const cells = before === undefined ? [value] : [before[name], value, value / before[name]];
    process.stdout.write(`| ${name} | ${cells.map((cell) => cell.toPrecision(3)).join(" | ")} |\n`);
  }
}
