// Memory of a device agent (`headwater device`) that trains without a pause while telemetry comes in and predictions go
// out: MB resident after 10,000 training steps and, with --leak, up to 100,000. `npm run bench:agent-memory [-- --leak
// --unit --json]`; --unit: with the environment of the systemd unit. The agent runs from a copy of this package beside
// which tfjs is not installed. Linux only (/proc).

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { BATCH, benchTask, connect, memoryOf, publishRows, startRig, unitEnvironment } from "./device/rig.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The example store has room for them; training starts when it is nearly full. */
const ROWS = 20_000;
const MIN_EXAMPLES = 17_000;
const READINGS_PER_SECOND = 50;
const SAMPLE_STEPS = 10_000;
const steps = process.argv.includes("--leak") ? 10 * SAMPLE_STEPS : SAMPLE_STEPS;
const env = process.argv.includes("--unit") ? unitEnvironment() : {};

const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
const main = join(copyWithoutTfjs(join(folder, "package")), "dist", "cli", "main.js");
const rig = await startRig({ folder, task: benchTask({ ring: ROWS, minExamples: MIN_EXAMPLES }), env, main });
try {
  const samples = await measure(rig);
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ env, engine: rig.engine, samples })}\n`);
  else print(samples);
} finally {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function measure({ device, telemetryUrl, examplesPath }) {
  const sensor = await connect(telemetryUrl, "sensor", []);
  let predictions = 0;
  await connect(telemetryUrl, "listener", ["headwater/+/prediction"], () => {
    predictions++;
  });
  const measured = new AbortController();
  const fed = feed(sensor, measured.signal);
  const samples = [];
  for (let done = 0; done < steps; ) {
    done += await trainOnce(device, examplesPath);
    if (Math.floor(done / SAMPLE_STEPS) > samples.length)
      samples.push({ steps: done, predictions, ...memoryOf(device.pid) });
  }
  measured.abort();
  await fed;
  return samples;
}

async function feed(sensor, signal) {
  await publishRows(sensor, { from: 0, count: ROWS, perSecond: 2_000, signal });
  const count = Number.POSITIVE_INFINITY;
  await publishRows(sensor, { from: ROWS, count, perSecond: READINGS_PER_SECOND, signal });
}

/** Resolves at the receipt of the next training round, with the steps it took: batches of the examples in the store. */
async function trainOnce(device, examplesPath) {
  const [, round] = await device.said(/"round":(\d+),"kind":"train","msg":"working on a round"/);
  const database = new Sqlite(examplesPath, { readonly: true });
  const examples = database.prepare(`SELECT count(*) FROM example WHERE split = 'train'`).pluck().get();
  database.close();
  await device.said(new RegExp(`"round":${round},[^\\n]*"msg":"update accepted"`));
  return Math.ceil(examples / BATCH);
}

/** This package as built, with every dependency but @tensorflow: an import of it would fail. */
function copyWithoutTfjs(to) {
  mkdirSync(join(to, "node_modules"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(to, "package.json"));
  cpSync(join(ROOT, "dist"), join(to, "dist"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== "@tensorflow") symlinkSync(join(ROOT, "node_modules", name), join(to, "node_modules", name));
  return to;
}

function print(samples) {
  const settings = Object.entries(env).map(([name, value]) => `${name}="${value}"`);
  process.stdout.write(
    `agent on ${rig.engine}, tfjs not installed, ${settings.join(" ") || "node's defaults"}\n`,
  );
  process.stdout.write("  steps  resident  anonymous  of files  at most  predictions\n");
  for (const { steps: done, rssMb, anonMb, fileMb, peakMb, predictions } of samples) {
    const cells = [rssMb, anonMb, fileMb, peakMb].map((mb, at) => mb.toFixed(1).padStart([8, 9, 8, 7][at]));
    process.stdout.write(
      `${[String(done).padStart(7), ...cells, String(predictions).padStart(11)].join("  ")}\n`,
    );
  }
}
