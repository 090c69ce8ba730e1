// What an agent costs the machine it runs on: bytes written to disk per telemetry row, resident memory, and the time
// from a sensor's message to the prediction it leads to, over a real broker, while the agent trains all the time.
// `npm run bench:device [-- --json]`; Linux only (/proc). Real processes: `headwater server` and `headwater device`.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock } from "../dist/shared/clock.js";
import { benchTask, connect, memoryOf, publishRows, startRig, unitEnvironment } from "./device/rig.js";

const ROWS = 20_000;
const MESSAGES = 2_000;
const MESSAGES_PER_SECOND = 200;

const folder = mkdtempSync(join(tmpdir(), "headwater-bench-"));
const rig = await startRig({
  folder,
  task: benchTask({ ring: 40_000, minExamples: 1_000 }),
  env: unitEnvironment(),
});
try {
  const result = await measure(rig);
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
} finally {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function measure({ device, server, telemetryUrl, serveAgain }) {
  // Telemetry alone first: rounds write as well, but not by the row.
  await server.stop();
  const sensor = await connect(telemetryUrl, "sensor", []);
  const before = writtenBytes(device.pid);
  await publishRows(sensor, { from: 0, count: ROWS, perSecond: 2_000 });
  await sleep(systemClock, 3_000);
  const bytesPerRow = (writtenBytes(device.pid) - before) / ROWS;
  serveAgain();
  await device.said(/serving a version/);
  const latencyMs = await measureLatency(sensor, telemetryUrl);
  return { bytesPerRow: Math.round(bytesPerRow), memory: memoryOf(device.pid), latencyMs };
}

/** From publishing a reading to hearing its prediction, both clocks being this process's. */
async function measureLatency(sensor, telemetryUrl) {
  const sent = new Map();
  const tookMs = [];
  await connect(telemetryUrl, "listener", ["headwater/+/prediction"], ({ payload }) => {
    const { timeMs } = JSON.parse(Buffer.from(payload).toString());
    const sentMs = sent.get(timeMs);
    if (sentMs !== undefined) tookMs.push(performance.now() - sentMs);
  });
  const onPublish = (timeMs) => sent.set(timeMs, performance.now());
  await publishRows(sensor, { from: ROWS, count: MESSAGES, perSecond: MESSAGES_PER_SECOND, onPublish });
  await sleep(systemClock, 1_000);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share) =>
    Math.round(100 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]) / 100;
  return { p50: at(0.5), p99: at(0.99), messages: MESSAGES, answered: sorted.length };
}

function writtenBytes(pid) {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))[1]);
}

function print({ bytesPerRow, memory, latencyMs }) {
  process.stdout.write(`disk        ${bytesPerRow} bytes written per telemetry row (${ROWS} rows at 2,000/s, in batches of 500)
memory      ${memory.rssMb.toFixed(0)} MB resident, ${memory.peakMb.toFixed(0)} MB at most
prediction  ${latencyMs.p50} ms median, ${latencyMs.p99} ms p99 from message to message, ${MESSAGES_PER_SECOND}/s, training all the time
            ${latencyMs.answered} of ${latencyMs.messages} messages answered
`);
}
