// How often drift detectors cry wolf, how soon they tell, and what they cost. `npm run bench:drift [-- --json] [-- --seeds=20]`.

import { detectors } from "../dist/shared/drift/concept/registry.js";
import { encodeState } from "../dist/shared/pipeline/state.js";
import { measureData } from "./drift/data.js";
import { alarmsPer10k, delayOf } from "./drift/streams.js";

const seeds = Number(process.argv.find((arg) => arg.startsWith("--seeds="))?.slice(8) ?? 20);
const result = { concept: Object.values(detectors).map(measureConcept), data: measureData(seeds) };
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);

/** One detector at its defaults, on what it takes: an error rate, or numbers of deviation 1. */
function measureConcept(kind) {
  const create = () => kind.create(kind.params.parse({}));
  const isNumbers = kind.name === "page-hinkley" || kind.name === "kswin";
  const changes = isNumbers ? [0.3, 0.5, 1] : [0.15, 0.2, 0.3];
  return {
    detector: kind.name,
    watches: isNumbers ? "numbers, +0.3, +0.5, +1 deviation" : "errors, 10 % to 15, 20, 30 %",
    falseAlarmsPer10k: alarmsPer10k(create, isNumbers, seeds),
    delays: changes.map((change) => delayOf(create, isNumbers, change, seeds)),
    ...costOf(create, isNumbers),
  };
}

function costOf(create, isNumbers) {
  const detector = create();
  const updates = 200_000;
  const startedMs = performance.now();
  for (let i = 0; i < updates; i++) detector.update(isNumbers ? Math.sin(i * i) : i % 10 === 0 ? 1 : 0);
  const nsPerUpdate = Math.round((1e6 * (performance.now() - startedMs)) / updates);
  return { nsPerUpdate, stateBytes: encodeState(detector.save()).length };
}

function print({ concept, data }) {
  process.stdout.write(
    "| detector | watches | false alarms / 10k | median delay (found) | ns / update | state bytes |\n",
  );
  process.stdout.write("|---|---|---|---|---|---|\n");
  for (const row of concept) {
    const delays = row.delays.map(({ median, found }) => `${median ?? "-"} (${percent(found)})`).join(", ");
    process.stdout.write(
      `| ${row.detector} | ${row.watches} | ${row.falseAlarmsPer10k.toFixed(2)} | ${delays} | ${row.nsPerUpdate} | ${row.stateBytes} |\n`,
    );
  }
  process.stdout.write(
    "\n| test | telemetry | false alarms / 10k rows of a device | found within 2 windows: +0.3, +0.5, +1 | not testable | us / row | state bytes / column |\n",
  );
  process.stdout.write("|---|---|---|---|---|---|---|\n");
  for (const row of data) {
    process.stdout.write(
      `| ${row.test} | ${row.telemetry} | ${row.falseAlarmsPer10k.toFixed(2)} | ${row.found.map(percent).join(", ")} | ${percent(row.notTestable)} | ${row.usPerRow.toFixed(1)} | ${row.bytesPerColumn} |\n`,
    );
  }
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}
