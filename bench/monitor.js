// What a device's monitor costs a row, how often its concept watch cries wolf on errors that resemble the ones before, and when its
// alarms end.
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
const ends = ["adwin", "page-hinkley"].flatMap((kind) =>
  [false, true].flatMap((areMisses) => [0, 0.5, 0.9, 0.98].map((phi) => measureEnd(kind, areMisses, phi))),
);
const result = { concept, ends, cost: [false, true].map(measureCost) };
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);

/** Residuals are AR(1) of deviation 1: their size, or whether they are in the upper tenth; then one deviation more. */
function measureConcept(kind, areMisses, phi) {
  let alarms = 0;
  const delays = [];
  for (let seed = 0; seed < seeds; seed++) {
    const see = watched({ kind, areMisses, phi, seed });
    for (let i = 0; i < ROWS; i++) if (see(0) === "began") alarms++;
    const delay = rowsUntil("began", () => see(1), 3000);
    if (delay !== undefined) delays.push(delay);
  }
  delays.sort((a, b) => a - b);
  return {
    ...{ detector: kind, errors: areMisses ? "misses" : "sizes", phi },
    falseAlarmsPer10k: alarms / seeds,
    ...{ medianDelay: delays[Math.floor(delays.length / 2)] ?? null, found: delays.length / seeds },
  };
}

/**
 * An alarm after 5,000 calm rows, of residuals 1.5 deviations off. From then on they are what they were: after how many rows it ends. Or
 * one deviation off for 100,000 rows, when it should not.
 */
function measureEnd(kind, areMisses, phi) {
  const [ended, ofLasting] = [[], []];
  let [alarms, lasting] = [0, 0];
  for (let seed = 0; seed < 5 * seeds; seed++) {
    const brief = alarmed({ kind, areMisses, phi, seed: 2 * seed });
    if (brief !== undefined) {
      alarms += 1;
      ended.push(rowsUntil("ended", () => brief(0), 100_000) ?? Number.POSITIVE_INFINITY);
    }
    const long = alarmed({ kind, areMisses, phi, seed: 2 * seed + 1 });
    if (long === undefined) continue;
    lasting += 1;
    const rows = rowsUntil("ended", () => long(1), 100_000);
    if (rows !== undefined) ofLasting.push(rows);
  }
  ended.sort((a, b) => a - b);
  const at = (share) => ended[Math.floor(share * (ended.length - 1))];
  return {
    ...{ detector: kind, errors: areMisses ? "misses" : "sizes", phi, alarms, lasting },
    ...{ median: at(0.5), ninetieth: at(0.9), ended: ended.filter(Number.isFinite).length },
    endedThoughLasting: ofLasting.length,
  };
}

/** A watch and its errors: gives the news of one more residual, so many deviations off. */
function watched({ kind, areMisses, phi, seed }) {
  const call = { kind, params: detectors[kind].params.parse({}) };
  const random = randomStream("bench", "monitor", String(seed), String(phi));
  const watch = new ConceptWatch({ call, areMisses, counters: new Counters() });
  let residual = random.normal();
  return (shift) => {
    residual = phi * residual + Math.sqrt(1 - phi * phi) * random.normal();
    const error = residual + shift;
    return watch.see(areMisses ? Number(error > 1.2816) : Math.abs(error))?.type;
  };
}

/** One that was calm for 5,000 rows and has an alarm now; undefined: it had one before, or none came. */
function alarmed(options) {
  const see = watched(options);
  if (rowsUntil("began", () => see(0), 5000) !== undefined) return undefined;
  return rowsUntil("began", () => see(1.5), 3000) === undefined ? undefined : see;
}

function rowsUntil(news, see, most) {
  for (let row = 0; row < most; row++) if (see() === news) return row;
  return undefined;
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

function print({ concept, ends, cost }) {
  process.stdout.write("| detector | errors | AR(1) | false alarms / 10k rows | median delay (found) |\n");
  process.stdout.write("|---|---|---|---|---|\n");
  for (const { detector, errors, phi, falseAlarmsPer10k, medianDelay, found } of concept)
    process.stdout.write(
      `| ${detector} | ${errors} | ${phi} | ${falseAlarmsPer10k.toFixed(2)} | ${medianDelay ?? "-"} (${Math.round(100 * found)} %) |\n`,
    );
  process.stdout.write(
    "\n| detector | errors | AR(1) | alarms | ended | median rows | nine of ten | one deviation that lasts: ended |\n",
  );
  process.stdout.write("|---|---|---|---|---|---|---|---|\n");
  for (const { detector, errors, phi, alarms, ended, median, ninetieth, ...rest } of ends)
    process.stdout.write(
      `| ${detector} | ${errors} | ${phi} | ${alarms} | ${ended} | ${rowsOf(median)} | ${rowsOf(ninetieth)} | ${rest.endedThoughLasting} of ${rest.lasting} |\n`,
    );
  process.stdout.write("\n| versions | us / row | longest ms | state bytes |\n|---|---|---|---|\n");
  for (const { versions, usPerRow, worstMs, stateBytes } of cost)
    process.stdout.write(
      `| ${versions} | ${usPerRow.toFixed(1)} | ${worstMs.toFixed(1)} | ${stateBytes} |\n`,
    );
}

function rowsOf(rows) {
  return Number.isFinite(rows) ? rows.toLocaleString("en") : "-";
}
