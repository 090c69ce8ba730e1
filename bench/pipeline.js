// What the pipeline does in a second on one core, how long a message takes to become features over a real broker, and
// what it remembers. `npm run bench:pipeline [-- --json] [-- --soak]`; run with --expose-gc (the npm script does).

import { Counters } from "../dist/shared/counters.js";
import { createPipeline } from "../dist/shared/pipeline/pipeline.js";
import { planPipeline } from "../dist/shared/pipeline/plan.js";
import { encodeState } from "../dist/shared/pipeline/state.js";
import { measureMessages } from "./pipeline/messages.js";
import { airQuality, manyEntities, vibration } from "./pipeline/work.js";

const REPEATS = 5;
const AIR_READINGS = 200_000;
const BLOCKS = 10_000;
const ENTITIES = 1_000;
const SOAK_READINGS = 10_000_000;

const result = {
  airQualityRowsPerSecond: best(() => rate(airQuality.task, airQuality.readings(AIR_READINGS))),
  vibrationBlocksPerSecond: best(() => rate(vibration.task, vibration.readings(BLOCKS))),
  bytesPerBlock: allocatedPerBlock(),
  ...(await measureMessages()),
  entities: measureEntities(),
  ...(process.argv.includes("--soak") ? { soak: soak() } : {}),
};
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);
process.exit();

/** Readings per second, and nothing lost on the way. */
function rate(task, readings) {
  const { pipeline, counts } = open(task);
  const startedMs = performance.now();
  for (const reading of readings) pipeline.push(reading);
  pipeline.flush();
  const perSecond = Math.round((1000 * readings.length) / (performance.now() - startedMs));
  if (counts.features < 0.99 * readings.length)
    throw new Error(`only ${counts.features} of ${readings.length} readings became features`);
  return perSecond;
}

function open(task) {
  const counts = { features: 0, examples: 0 };
  const counters = new Counters();
  const sink = { features: () => counts.features++, example: () => counts.examples++ };
  return { pipeline: createPipeline(task, { counters, sink }), counts, counters };
}

function best(run) {
  return Math.max(...Array.from({ length: REPEATS }, run));
}

/** Garbage per block of 1,024 samples: far below the 4 KiB that one copy of its samples would take. */
function allocatedPerBlock() {
  const { pipeline } = open(vibration.task);
  const readings = vibration.readings(2_000);
  for (const reading of readings.slice(0, 1_000)) pipeline.push(reading);
  globalThis.gc();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  for (const reading of readings.slice(1_000)) pipeline.push(reading);
  const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  return Math.round((after - before) / 1_000);
}

/** What a thousand entities with twenty features each take, and what the plan said. */
function measureEntities() {
  const { task, reading } = manyEntities;
  const { pipeline } = open(task);
  globalThis.gc();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100 * ENTITIES; i++) pipeline.push(reading(i, ENTITIES));
  globalThis.gc();
  const grown = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before;
  return {
    entities: ENTITIES,
    features: pipeline.columns.length,
    heapBytesPerEntity: Math.round(grown / ENTITIES),
    plannedBytesPerEntity: planPipeline(task).stateBytesPerEntity,
    savedBytesPerEntity: Math.round(encodeState(pipeline.save()).length / ENTITIES),
  };
}

/** Ten million readings of a thousand entities: the heap after each million. */
function soak() {
  const { pipeline, counts } = open(manyEntities.task);
  const heapMb = [];
  for (let i = 0; i < SOAK_READINGS; i++) {
    pipeline.push(manyEntities.reading(i, ENTITIES));
    if ((i + 1) % 1_000_000 !== 0) continue;
    globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    heapMb.push(Math.round((heapUsed + arrayBuffers) / 1e5) / 10);
  }
  return { readings: SOAK_READINGS, features: counts.features, heapMb };
}

function print(result) {
  const { airQualityRowsPerSecond, vibrationBlocksPerSecond, bytesPerBlock, entities, soak: soaked } = result;
  process.stdout.write(`air quality   ${airQualityRowsPerSecond} rows/s (${planPipeline(airQuality.task).columns.length} columns: lags, resample, checks)
vibration     ${vibrationBlocksPerSecond} blocks/s of 1,024 samples (7 statistics, 5 bands, 3 of the spectrum); ${bytesPerBlock} bytes of garbage a block
messages      ${result.messageToFeaturesP50Ms} ms median, ${result.messageToFeaturesP99Ms} ms p99 from publish to features, ${result.messagesPerSecond}/s over a broker, ${result.messagesAnswered} of ${result.messages}
entities      ${entities.entities} x ${entities.features} features: ${entities.heapBytesPerEntity} bytes each (planned ${entities.plannedBytesPerEntity}), ${entities.savedBytesPerEntity} saved
`);
  if (soaked !== undefined)
    process.stdout.write(
      `soak          ${soaked.readings} readings; heap in MB after each million: ${soaked.heapMb.join(", ")}\n`,
    );
}
