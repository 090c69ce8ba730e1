// Runs federations under chaos, one for each seed: `npm run test:simulation -- --seeds 1000 [--start 1]`.
// Prints every seed that breaks an invariant or never comes to its end, how often each fault happened, and with
// --verbose what the federations did. Exits with 1 unless every seed has passed.

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
  const faults = new Map();
  const facts = new Map();
  let passed = 0;
  let done = 0;
  const note = (seed, report) => {
    add(faults, report.faults);
    add(facts, report.facts);
    if (report.ok) passed++;
    else print(`seed ${seed} failed:`, ...report.violations.map((text) => `  ${text}`));
    if (++done % 50 === 0) process.stderr.write(`${done} of ${seeds}, ${done - passed} failed\n`);
  };
  await Promise.all(Array.from({ length: workers }, () => supervise(seedsLeft, note)));
  const seconds = (Date.now() - startedMs) / 1000;
  for (const counts of verbose ? [faults, facts] : [faults]) {
    print(...[...counts].sort().map(([name, count]) => `${name}: ${count}`));
  }
  print(`${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(2)} seeds/s with ${workers} workers`);
  // A seed that was never run has not passed.
  print(`${passed} passed, ${seeds - passed} failed`);
  process.exitCode = passed === seeds ? 0 : 1;
}

function print(...lines) {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
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

/** One worker, given seeds until none is left. One that dies takes its seed with it, and only that. */
function supervise(seedsLeft, note) {
  return new Promise((resolve) => {
    let seed;
    let worker;
    const give = () => {
      seed = seedsLeft.shift();
      worker.postMessage(seed);
    };
    const take = (report) => {
      if (seed !== undefined) note(seed, report);
      seed = undefined;
    };
    const employ = () => {
      worker = new Worker(new URL(import.meta.url));
      worker.on("message", (report) => {
        take(report);
        give();
      });
      worker.on("error", (error) => take(failure(error)));
      worker.on("exit", (code) => {
        take(failure(`its worker exited with ${code}`));
        if (seedsLeft.length === 0) resolve();
        else employ();
      });
      give();
    };
    employ();
  });
}

async function work(port) {
  const lab = await createChaosLab();
  port.on("message", async (seed) => {
    if (seed === undefined) {
      await lab.close();
      port.close();
    } else {
      port.postMessage(await lab.run({ seed }).catch(failure));
    }
  });
}

/** The report of a seed that never got as far as one. */
function failure(error) {
  return { ok: false, violations: [String(error?.stack ?? error)], faults: {}, facts: {} };
}

function add(totals, counts) {
  for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
}
