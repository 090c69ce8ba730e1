// Runs federations under chaos, one for each seed: `npm run test:simulation -- --seeds 1000 [--start 1]`.
// Prints every seed that breaks an invariant or never comes to its end, and exits with 1 if there was one.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { createChaosLab } from "../dist/simulator/chaos/chaos.js";

if (isMainThread) await main();
else await work(parentPort);

async function main() {
  const { start, seeds, workers, verbose } = readOptions();
  const startedMs = Date.now();
  const seedsLeft = Array.from({ length: seeds }, (_, at) => String(start + at));
  const totals = new Map();
  const failed = [];
  let done = 0;
  const note = (seed, report) => {
    for (const counts of [report.faults, report.facts]) add(totals, counts);
    if (!report.ok) {
      failed.push(seed);
      process.stdout.write(
        `seed ${seed} failed:\n${report.violations.map((text) => `  ${text}\n`).join("")}`,
      );
    }
    if (++done % 50 === 0) process.stderr.write(`${done} of ${seeds}, ${failed.length} failed\n`);
  };
  await Promise.all(Array.from({ length: workers }, () => supervise(seedsLeft, note)));
  const seconds = (Date.now() - startedMs) / 1000;
  if (verbose) for (const [name, count] of [...totals].sort()) process.stdout.write(`${name}: ${count}\n`);
  process.stdout.write(`${(seconds / seeds).toFixed(3)} s per seed\n`);
  process.stdout.write(`${seeds - failed.length} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "50" },
      start: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
      verbose: { type: "boolean", default: false },
    },
  });
  const [seeds, start, workers] = [values.seeds, values.start, values.workers].map(Number);
  if (![seeds, start, workers].every((value) => Number.isInteger(value) && value >= 0) || workers < 1) {
    process.stderr.write(
      "--seeds, --start and --workers are whole numbers, and there is at least one worker\n",
    );
    process.exit(2);
  }
  return { seeds, start, workers: Math.min(workers, Math.max(1, seeds)), verbose: values.verbose };
}

/** One worker, given seeds until none is left. */
function supervise(seedsLeft, note) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url));
    const next = () => worker.postMessage(seedsLeft.shift());
    worker.on("message", ({ seed, report }) => {
      note(seed, report);
      next();
    });
    worker.on("error", reject);
    worker.on("exit", resolve);
    next();
  });
}

async function work(port) {
  const lab = await createChaosLab();
  port.on("message", async (seed) => {
    if (seed === undefined) {
      await lab.close();
      port.close();
    } else {
      port.postMessage({ seed, report: await lab.run({ seed }) });
    }
  });
}

function add(totals, counts) {
  for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
}
