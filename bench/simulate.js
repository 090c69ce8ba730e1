// Seconds of a whole simulation until its model is good enough, engine against engine: `npm run bench:simulate -- --data DIR
// [--task FILE] [--target 0.97] [--engines fused-wasm,tfjs-wasm,stock-wasm] [--rounds N] [--seed N] [--json]`. Each is a
// process of its own, timed from its start: reading data, features, messages, storage and scoring are in the seconds.
// stock-wasm is tfjs-wasm as it comes, without the matrix products that we give it.

import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const STOCK = new URL("simulate/stock-tfjs.js", import.meta.url).href;

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: process.env.HEADWATER_DATA },
    task: { type: "string", default: "examples/mnist/task.yaml" },
    target: { type: "string", default: "0.97" },
    engines: { type: "string", default: "fused-wasm,tfjs-wasm,stock-wasm" },
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
if (options.data === undefined) throw new Error("no data folder; name it with --data or HEADWATER_DATA");
const target = Number(options.target);
if (!Number.isFinite(target)) throw new Error(`--target ${options.target}: expected a number`);

const results = [];
for (const engine of options.engines.split(",")) results.push(await measure(engine));
const [first, ...others] = results;
for (const other of others) other.timesSlower = other.secondsToTarget / first.secondsToTarget;
report();

async function measure(engine) {
  const rounds = options.rounds === undefined ? [] : ["--rounds", options.rounds];
  const fixed = [MAIN, "simulate", options.task, "--data", options.data, "--no-local", "--json"];
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const isStock = engine === "stock-wasm";
  const node = isStock ? ["--import", STOCK] : [];
  const more = ["--seed", options.seed, "--engine", isStock ? "tfjs-wasm" : engine, ...rounds];
  const child = spawn(process.execPath, [...node, ...fixed, ...more]);
  /** When each round had closed: the progress on standard error says so. */
  const closed = new Map();
  let output = "";
  let complaint = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    complaint = String(text);
    for (const [, round] of complaint.matchAll(/round (\d+)\//g)) closed.set(Number(round), seconds());
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`${engine} ended with exit code ${code}: ${complaint.trim()}`);
  const { metric, rounds: reported } = JSON.parse(output);
  const isGood = (value) => value !== null && (metric === "accuracy" ? value >= target : value <= target);
  const reached = reported.find(({ value }) => isGood(value))?.round ?? null;
  const secondsToTarget = closed.get(reached) ?? Number.NaN;
  return { engine, round: reached, secondsToTarget, rounds: reported.length, seconds: seconds() };
}

function report() {
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ machine, task: options.task, target, results })}\n`);
    return;
  }
  process.stdout.write(`${options.task}, until ${target}, on ${machine}\n`);
  for (const { engine, round, secondsToTarget, rounds, seconds, timesSlower } of results) {
    const reached = round === null ? "not reached" : `round ${round}, ${secondsToTarget.toFixed(1)} s`;
    const ratio = timesSlower === undefined ? "" : `, ${timesSlower.toFixed(2)} times slower`;
    process.stdout.write(`${engine}: ${reached}${ratio}; all ${rounds} rounds ${seconds.toFixed(1)} s\n`);
  }
}
