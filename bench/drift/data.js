// DataDrift on telemetry that keeps its law and on telemetry that shifts: alarms, delay, cost.

import { DataDrift } from "../../dist/shared/drift/data/data-drift.js";
import { DATA_DRIFT_DEFAULTS } from "../../dist/shared/drift/data/port.js";
import { encodeState } from "../../dist/shared/pipeline/state.js";
import { randomStream } from "../../dist/shared/random.js";

const DAY_MS = 86_400_000;
const COLUMNS = 5;
const REFERENCE_ROWS = 5_000;
const ROWS = 10_000;

const telemetry = {
  independent: { draw: (random) => () => random.normal() },
  "AR(1) 0.5": { draw: autoregressive(0.5) },
  "AR(1) 0.9": { draw: autoregressive(0.9) },
  "AR(1) 0.98": { draw: autoregressive(0.98) },
  uniform: { draw: (random) => () => Math.sqrt(12) * (random.uniform() - 0.5) },
  "Student t, 3": { draw: (random) => () => student(random) / Math.sqrt(3) },
  "daily cycle of 3, AR(1) 0.9": { draw: daily(0.9), seasonMs: DAY_MS },
};

function autoregressive(phi) {
  return (random) => {
    let y = random.normal();
    return () => {
      y = phi * y + Math.sqrt(1 - phi * phi) * random.normal();
      return y;
    };
  };
}

function daily(phi) {
  return (random) => {
    const weather = autoregressive(phi)(random);
    return (timeMs) => 3 * Math.sin((2 * Math.PI * timeMs) / DAY_MS) + weather();
  };
}

function student(random) {
  const square = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(square / 3);
}

/** Both tests on all telemetry. */
export function measureData(seeds) {
  return ["ks", "psi"].flatMap((test) => Object.keys(telemetry).map((name) => measure(test, name, seeds)));
}

function measure(test, name, seeds) {
  const calm = run(test, name, { seeds, shift: 0, rows: ROWS });
  const found = [0.3, 0.5, 1].map((shift) => run(test, name, { seeds, shift, rows: 2_000 }).found);
  const { alarms, notTestable, usPerRow, bytes } = calm;
  return {
    test,
    telemetry: name,
    falseAlarmsPer10k: alarms / seeds,
    found,
    notTestable,
    usPerRow,
    bytesPerColumn: Math.round(bytes / COLUMNS),
  };
}

function run(test, name, { seeds, shift, rows }) {
  const sums = { alarms: 0, found: 0, untestable: 0, verdicts: 0, ms: 0, bytes: 0 };
  for (let seed = 0; seed < seeds; seed++) watch(test, rowMaker(name, seed, shift), { rows, sums });
  return {
    alarms: sums.alarms,
    found: sums.found / seeds,
    notTestable: sums.untestable / sums.verdicts,
    usPerRow: (1_000 * sums.ms) / (seeds * rows),
    bytes: sums.bytes,
  };
}

function watch(test, { next, seasonMs }, { rows, sums }) {
  const columns = Array.from({ length: COLUMNS }, (_, c) => `c${c}`);
  const drift = new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns, test, seasonMs });
  drift.freeze(Array.from({ length: REFERENCE_ROWS }, () => next(false)));
  const all = Array.from({ length: rows }, () => next(true));
  const startedMs = performance.now();
  const windows = all.map((row) => drift.push(row)).filter((window) => window !== undefined);
  sums.ms += performance.now() - startedMs;
  sums.bytes = encodeState(drift.save()).length;
  for (const window of windows) {
    const isDrift = ({ verdict }) => verdict === "drift";
    if (window.columns.some(isDrift)) sums.alarms += 1;
    sums.verdicts += window.columns.length;
    sums.untestable += window.columns.filter(({ verdict }) => verdict === "not-testable").length;
  }
  if (windows.some((window) => window.columns[0].verdict === "drift")) sums.found += 1;
}

function rowMaker(name, seed, shift) {
  const random = randomStream(String(seed), "bench telemetry", name, shift);
  const draws = Array.from({ length: COLUMNS }, () => telemetry[name].draw(random));
  let timeMs = Date.UTC(2026, 0, 1);
  const next = (isShifted) => {
    timeMs += 60_000;
    const features = Float32Array.from(draws, (draw, c) => draw(timeMs) + (c === 0 && isShifted ? shift : 0));
    return { timeMs, features };
  };
  return { next, seasonMs: telemetry[name].seasonMs };
}
