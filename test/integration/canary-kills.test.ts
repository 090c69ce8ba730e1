// A device in a canary, killed at random moments while it predicts: real processes, without a network. More rounds:
// KILLS=200 npx vitest run test/integration/canary-kills.test.ts

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openDeviceFolder } from "../../device/host/device-folder.js";
import { stateMigrations, telemetryMigrations } from "../../device/storage.js";
import { decodeState } from "../../shared/pipeline/state.js";
import { randomStream } from "../../shared/random.js";
import type { Row } from "../../shared/storage/port.js";
import { openSqlite, openSqliteReadOnly } from "../../shared/storage/sqlite.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { createDevice, deviceId } from "../support/device-kit.js";
import { prepareDevice } from "../support/kill-lab.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedServer, trialOf } from "../support/scripted-server.js";
import { tempFolder } from "../support/temp-folder.js";
import { testEngines } from "../support/test-engines.js";
import { until } from "../support/until.js";

const KILLS = Number(process.env.KILLS ?? 12);
const LINES = 60_000 * Math.ceil(KILLS / 12);
const START_S = Date.UTC(2026, 0, 1) / 1000;
/** How long a process lives on, at most, once it has started. */
const MOMENT_MS = 1_500;

const temp = tempFolder();
const engines = testEngines();

const task = parseTask(`task: linear
entity: "{topic.1}"
sources:
  line: { mqtt: line/+, decode: json, entity: "{tag.pump}", time: { field: ts, unit: s }, late: { disorder: 20s, idle: 24h, ancient: 3660d } }
features: { from: line, list: [{ copy: [a] }, { lag: { of: a, by: [10s] } }] }
label: { forecast: { of: a, ahead: 1m } }
model: { dense: [] }
train: { batch: 8, epochs: 1, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m }
rollout: { canary: { steps: [1] } }
monitor: { window: 200 }
`);

/** The device has followed a release whose canary it serves, as version 2 with version 1 beside it. */
async function followCanary(data: string): Promise<void> {
  const folder = openDeviceFolder(data, {
    device: deviceId("pump-1"),
    limits: { diskBytes: 1e9 },
    rawLog: { durability: "normal", bytes: 1e9 },
  });
  const clock = new ManualClock();
  const broker = createMemoryBroker({ clock });
  const server = new ScriptedServer(broker, task);
  await server.retainTask();
  const [stable, candidate] = [
    await server.version(1, engines.runtime),
    await server.version(2, engines.runtime),
  ];
  await server.retainRelease({ sequence: 1, stable, trial: trialOf(candidate, "canary") });
  const { state, telemetry } = folder;
  const device = createDevice({ name: "pump-1", clock, broker, engines, disk: { state, telemetry } });
  await device.agent.start();
  await clock.until(() =>
    device.of("release-followed").some(({ serving, beside }) => serving === 2 && beside === 1),
  );
  device.kill();
  folder.close();
}

/** What is on disk after a kill. */
function readDisk(data: string) {
  const telemetry = openSqliteReadOnly({ path: join(data, "telemetry.db"), migrations: telemetryMigrations });
  try {
    const last = Number(telemetry.get("SELECT max(id) AS id FROM prediction")?.id ?? 0);
    const versionsAfter = (id: number) =>
      telemetry.all("SELECT DISTINCT version FROM prediction WHERE id > ? ORDER BY version", id);
    const checkpoint = telemetry.get("SELECT * FROM checkpoint WHERE role = 'current'");
    const setAside = telemetry.get("SELECT * FROM checkpoint WHERE role = 'set-aside'");
    const all = versionsAfter(0).map(({ version }) => Number(version));
    return {
      last,
      all,
      checkpoint,
      setAside,
      isTwice: hasTwice(telemetry.all("SELECT prediction_id FROM prediction")),
    };
  } finally {
    telemetry.close();
  }
}

function hasTwice(rows: readonly Row[]): boolean {
  return new Set(rows.map(({ prediction_id }) => prediction_id)).size < rows.length;
}

/** Labelled rows and rows of the version that is served, in a checkpoint; its hash holds. */
function sumsOf(checkpoint: Row): readonly number[] {
  const content = checkpoint.content as Uint8Array; // declared BLOB in a STRICT table
  expect(sha256Hex(content)).toBe(checkpoint.sha256);
  const { monitor } = decodeState(content) as {
    monitor: { monitor: { tallies: readonly ({ rows: number; labelled: { rows: number } } | null)[] } };
  };
  return monitor.monitor.tallies.flatMap((tally) =>
    tally === null ? [] : [tally.rows, tally.labelled.rows],
  );
}

function damageTrial(data: string): void {
  const state = openSqlite({ path: join(data, "state.db"), durability: "full", migrations: stateMigrations });
  const changed = state.run(
    `UPDATE blob SET content = zeroblob(length(content)) WHERE sha256 = (SELECT sha256 FROM model WHERE role = 'trial')`,
  );
  state.close();
  expect(changed).toBe(1);
}

test(`killed ${KILLS} times in a canary, it goes on with the same version, a whole checkpoint and sums that only grow; with no damaged one`, async () => {
  const random = randomStream("kills", "canary");
  const line = (i: number) => ({
    pump: "a",
    ts: START_S + 10 * i,
    a: Math.round(1000 * random.normal()) / 10,
  });
  temp.write("line.jsonl", Array.from({ length: LINES }, (_, i) => `${JSON.stringify(line(i))}\n`).join(""));
  const lab = prepareDevice(
    temp.path,
    task,
    "predictions: { keep: { rows: 1000000 } }\nsources: { line: { file: line.jsonl, limit: { rate: 8000/s } } }\n",
  );
  await followCanary(lab.data);
  let sums: readonly number[] = [];
  let livesWithNews = 0;
  let last = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const device = lab.start();
    if (kill % 4 > 0) await device.said(/task adopted/);
    // On a busy machine too, every other process comes to something that the one before did not.
    const before = last;
    if (kill % 2 > 0) await until(() => readDisk(lab.data).last > before, 60_000);
    await sleep(MOMENT_MS * random.uniform() ** 2);
    await device.stop("SIGKILL");
    const disk = readDisk(lab.data);
    expect(disk.setAside).toBeUndefined();
    expect(disk.isTwice).toBe(false);
    expect(disk.all.filter((version) => version !== 2)).toEqual([]);
    if (disk.last > last) livesWithNews += 1;
    last = disk.last;
    if (disk.checkpoint === undefined) continue;
    const now = sumsOf(disk.checkpoint);
    for (const [at, sum] of sums.entries()) expect(now[at]).toBeGreaterThanOrEqual(sum);
    sums = now;
  }
  expect(sums.length).toBeGreaterThan(0);
  expect(livesWithNews).toBeGreaterThan(KILLS / 4);
  damageTrial(lab.data);
  const device = lab.start();
  await device.said(/task adopted/);
  await sleep(MOMENT_MS);
  await device.stop("SIGTERM");
  expect(readDisk(lab.data).all).toEqual([1, 2]);
}, 300_000);
