// What a device's monitor costs a row, and how often its concept watch cries wolf on errors that resemble the ones before.
// `npm run bench:monitor [-- --json] [-- --seeds=20]`.

import { ConceptWatch } from "../dist/device/monitor/concept-watch.js";
import { Monitor } from "../dist/device/monitor/monitor.js";
import { Counters } from "../dist/shared/counters.js";
import { detectors } from "../dist/shared/drift/concept/registry.js";
import { defineModel } from "../dist/shared/model/define.js";
import { encodeState } from "../dist/shared/pipeline/state.js";
import { randomStream } from "../dist/shared/random.js";
import { monitor as monitorSchema } from "../dist/shared/task/schema/monitor.js";

const ROWS = 10_000;
const COLUMNS = 11;
const seeds = Number(process.argv.find((arg) => arg.startsWith("--seeds="))?.slice(8) ?? 20);

const concept = ["adwin", "page-hinkley", "hddm-a", "kswin"].flatMap((kind) =>
  [false, true].flatMap((areMisses) =>
    [0, 0.5, 0.9, 0.98].map((phi) => measureConcept(kind, areMisses, phi)),
  ),
);
const result = { concept, cost: [false, true].map(measureCost) };
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);

/** Residuals are AR(1) of deviation 1: their size, or whether they are in the upper tenth; then one deviation more. */
function measureConcept(kind, areMisses, phi) {
  const call = { kind, params: detectors[kind].params.parse({}) };
  let alarms = 0;
  const delays = [];
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomStream("bench", "monitor", String(seed), String(phi));
    const watch = new ConceptWatch({ call, areMisses, counters: new Counters() });
    let residual = random.normal();
    const see = (shift) => {
      residual = phi * residual + Math.sqrt(1 - phi * phi) * random.normal();
      const error = residual + shift;
      return watch.see(areMisses ? Number(error > 1.2816) : Math.abs(error));
    };
    for (let i = 0; i < ROWS; i++) if (see(0)?.type === "began") alarms++;
    for (let i = 0; i < 3000; i++) {
      if (see(1)?.type !== "began") continue;
      delays.push(i);
      break;
    }
  }
  delays.sort((a, b) => a - b);
  return {
    ...{ detector: kind, errors: areMisses ? "misses" : "sizes", phi },
    falseAlarmsPer10k: alarms / seeds,
    ...{ medianDelay: delays[Math.floor(delays.length / 2)] ?? null, found: delays.length / seeds },
  };
}

/** Rows of independent columns and their labels through a whole monitor, with a reference that is made on the way. */
function measureCost(hasBeside) {
  const output = { kind: "regression", loss: "meanSquaredError" };
  const definition = defineModel({ kind: "dense", hidden: [], activation: "relu", output }, COLUMNS);
  const monitor = new Monitor({
    ...{ spec: monitorSchema.parse({}), definition, counters: new Counters() },
    columns: Array.from({ length: COLUMNS }, (_, i) => `c${i}`),
    examples: () => [],
  });
  const [serving, beside] = [1, 2].map((version) => ({
    manifest: { version, sha256: String(version).padStart(64, "0") },
    params: new Float32Array(),
    scaler: {
      offset: new Array(COLUMNS).fill(0),
      factor: new Array(COLUMNS).fill(1),
      label: { offset: 0, factor: 1 },
    },
  }));
  monitor.follow({ serving, beside: hasBeside ? beside : undefined });
  const random = randomStream("bench", "cost");
  const rows = Array.from({ length: 20_000 }, (_, i) => ({
    ...{ entity: "pump", timeMs: i * 1000, test: false },
    features: Float32Array.from({ length: COLUMNS }, () => random.normal()),
  }));
  const said = (version, row) => ({
    version,
    answers: { rows: 1, x: row.features, outputs: row.features.slice(0, 1), tookUs: 1 },
    values: Float64Array.of(row.features[0]),
  });
  let worstMs = 0;
  const startedMs = performance.now();
  for (const row of rows) {
    const beganMs = performance.now();
    monitor.hear([row], said(serving, row), hasBeside ? said(beside, row) : undefined);
    monitor.label({ ...row, label: 0, persistence: null, split: "train" });
    worstMs = Math.max(worstMs, performance.now() - beganMs);
  }
  const usPerRow = (1000 * (performance.now() - startedMs)) / rows.length;
  return { versions: hasBeside ? 2 : 1, usPerRow, worstMs, stateBytes: encodeState(monitor.save()).length };
}

function print({ concept, cost }) {
  process.stdout.write("| detector | errors | AR(1) | false alarms / 10k rows | median delay (found) |\n");
  process.stdout.write("|---|---|---|---|---|\n");
  for (const { detector, errors, phi, falseAlarmsPer10k, medianDelay, found } of concept)
    process.stdout.write(
      `| ${detector} | ${errors} | ${phi} | ${falseAlarmsPer10k.toFixed(2)} | ${medianDelay ?? "-"} (${Math.round(100 * found)} %) |\n`,
    );
  process.stdout.write("\n| versions | us / row | longest ms | state bytes |\n|---|---|---|---|\n");
  for (const { versions, usPerRow, worstMs, stateBytes } of cost)
    process.stdout.write(
      `| ${versions} | ${usPerRow.toFixed(1)} | ${worstMs.toFixed(1)} | ${stateBytes} |\n`,
    );
}
