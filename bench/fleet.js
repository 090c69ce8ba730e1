// A thousand connected devices with rounds going on: the server's memory per device, the time from announcing an
// update to its receipt, and what one device that has stopped reading does to the rounds of the others.
// `npm run bench:fleet [-- --devices 1000 --rounds 5 --json]`; Linux only (/proc). Both processes share the machine.

import { parseArgs } from "node:util";
import { createFleet } from "./fleet-lab.js";

const { values } = parseArgs({
  options: {
    devices: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const count = Number(values.devices);
const max = Number(values.rounds);
/** Of the comparison: small rounds, so many times in turn. */
const STALL = { devices: 20, rounds: 20, turns: 3 };

const result = { ...(await load()), stall: await stall() };
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);
process.exit();

/** The fleet at rest, then at work. */
async function load() {
  const rounds = `{ cohort: all, minDevices: ${count}, quorum: 90%, deadline: 10m, max: ${max} }`;
  const fleet = await createFleet({ count, rounds });
  const before = await fleet.residentBytes();
  // The first round waits for the last device.
  await fleet.connectUpTo(count - 1);
  const resting = await fleet.residentBytes();
  await fleet.connectUpTo(count);
  await fleet.finished;
  const after = await fleet.residentBytes();
  await fleet.close();
  return {
    devices: count,
    updates: fleet.receipts.length,
    rejected: fleet.receipts.filter(({ status }) => status === "rejected").length,
    kibPerDevice: rounded((resting - before) / (count - 1) / 1024),
    kibPerDeviceAfterRounds: rounded((after - before) / count / 1024),
    receiptMs: percentiles(fleet.receipts.map(({ tookMs }) => tookMs)),
    roundMs: percentiles(fleet.roundMs),
  };
}

/** Round times of a small fleet without and with a device that has stopped reading, in turns. */
async function stall() {
  const times = { free: [], stalled: [] };
  for (let turn = 0; turn < STALL.turns; turn++) {
    for (const kind of ["free", "stalled"]) times[kind].push(...(await smallRounds(kind)));
  }
  const [free, stalled] = [percentiles(times.free).p50, percentiles(times.stalled).p50];
  return { ratio: rounded(stalled / free), freeMs: free, stalledMs: stalled };
}

async function smallRounds(kind) {
  const { devices, rounds } = STALL;
  // One more is asked than needed: that is how a fleet does without its worst device. Only train rounds are measured;
  // the fit round before them waits until the stalled device's lease is over.
  const policy = `cohort: ${devices - 1}, minDevices: ${devices}, overSelect: 10%, quorum: 90%, lease: 2s`;
  const fleet = await createFleet({
    count: devices,
    rounds: `{ ${policy}, deadline: 10m, max: ${rounds} }`,
    evaluate: "{ every: 1000 }",
  });
  if (kind === "stalled") fleet.stallOne();
  await fleet.connectUpTo(devices);
  await fleet.finished;
  await fleet.close();
  return fleet.roundMs;
}

function percentiles(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p99: at(0.99) };
}

function rounded(value) {
  return Math.round(100 * value) / 100;
}

function print({
  devices,
  updates,
  rejected,
  kibPerDevice,
  kibPerDeviceAfterRounds,
  receiptMs,
  roundMs,
  stall,
}) {
  process.stdout.write(`${devices} devices, ${updates} updates, ${rejected} rejected
server memory   ${kibPerDevice} KiB per connected device, ${kibPerDeviceAfterRounds} KiB after ${max} rounds
receipt         ${receiptMs.p50} ms median, ${receiptMs.p99} ms p99, from the announcement
round           ${roundMs.p50} ms median
a stalled one   rounds of the others take ${stall.ratio}x (${stall.freeMs} ms, ${stall.stalledMs} ms with it)
`);
}
