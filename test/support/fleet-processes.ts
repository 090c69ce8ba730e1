// A federation of real processes on real disks: one server, three devices, brokers, and a way to kill each. Every
// run starts from one snapshot in which the devices have their task and all their telemetry, so that two runs
// differ only in what happens to them.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { telemetryMigrations } from "../../device/storage.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import type { SelectionView } from "../../server/http/schema.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { createPipeline } from "../../shared/pipeline/pipeline.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { parseTask } from "../../shared/task/parse.js";
import { loadFeed } from "../../simulator/datasets/load.js";
import { freePort } from "./free-port.js";
import { Program } from "./program.js";
import { until } from "./until.js";

/** The devices, as the generator names them. */
export const DEVICES = ["pump-1", "pump-2", "pump-3"] as const;
export type DeviceName = (typeof DEVICES)[number];

/** Train rounds until it is finished. */
export const ROUNDS = 12;

// All devices in every round, and deadlines that no downtime here reaches: what comes out depends on the data alone.
/** What the fleet learns, unless a test says otherwise. */
export const FLEET_TASK = `task: pumps
entity: "{topic.1}"
sources:
  pump: { mqtt: plant/+/telemetry, time: { field: ts, unit: ms }, late: { disorder: 2m, then: drop } }
steps:
  clean:
    from: pump
    do: [{ resample: { every: 10m, agg: mean, fill: { hold: 30m } } }]
features:
  from: clean
  list: [{ copy: [temperature, vibration, load, ambient] }, { lag: { of: temperature, by: [10m, 20m] } }]
  scale: standard
label: { forecast: { of: temperature, ahead: 1h }, scale: standard }
rows: { split: { validation: { share: 20%, block: 4h }, gap: 1h } }
model: { dense: [16], output: regression }
train: { epochs: 2, batch: 16, optimizer: { sgd: 0.03 } }
rounds:
  { cohort: all, minDevices: 3, overSelect: 0%, quorum: 100%, deadline: 2h, lease: 1h, minExamples: 150, max: ${ROUNDS} }
evaluate: { every: 1, quorum: 100%, deadline: 2h }
simulate: { generator: pumps, with: { from: 2026-01-01, days: 3, history: 3 }, devices: 3 }
`;

/** What the server says of itself, as far as tests ask. */
export interface FleetStatus {
  readonly isReady: boolean;
  readonly head: number;
  readonly trainRounds: number;
  readonly finished?: string;
  readonly open?: {
    readonly round: number;
    readonly kind: string;
    readonly members: readonly { readonly device: string; readonly status: string }[];
  };
  readonly selection?: SelectionView;
  readonly devices: readonly { readonly device: string; readonly isConnected: boolean }[];
  readonly counters: Readonly<Record<string, number>>;
}

/** How the server is reached. */
export interface Uplink {
  /** What devices connect to. */
  readonly url: string;
  /** Options of `headwater server`. */
  readonly server: readonly string[];
}

/** One run: a copy of the snapshot, and its processes. */
export class FleetProcesses {
  readonly folder: string;
  readonly uplink: Uplink;
  server: Program | undefined;
  /** Processes of each device, the newest last. */
  readonly #devices = new Map<DeviceName, Program[]>();
  readonly #httpPort: number;

  constructor(folder: string, uplink: Uplink, httpPort: number) {
    this.folder = folder;
    this.uplink = uplink;
    this.#httpPort = httpPort;
  }

  startServer(): void {
    const { folder, uplink } = this;
    const http = ["--http", `127.0.0.1:${this.#httpPort}`];
    const args = [
      "server",
      join(folder, "task.yaml"),
      "--data",
      join(folder, "server"),
      "--seed",
      "1",
      ...http,
    ];
    this.server = Program.start([...args, ...uplink.server]);
  }

  startDevice(name: DeviceName, telemetryUrl = "mqtt://127.0.0.1:1"): void {
    const file = join(this.folder, `${name}.yaml`);
    writeFileSync(file, deviceConfig(this.folder, name, { url: this.uplink.url, telemetryUrl }));
    this.#devices.set(name, [...(this.#devices.get(name) ?? []), Program.start(["device", file])]);
  }

  /** The newest process of a device. */
  device(name: DeviceName): Program {
    return this.#devices.get(name)!.at(-1)!;
  }

  startDevices(telemetryUrl?: string): void {
    for (const name of DEVICES) this.startDevice(name, telemetryUrl);
  }

  /** What the server says now; undefined while it cannot be reached. */
  async status(): Promise<FleetStatus | undefined> {
    return this.#get<FleetStatus>("/api/status");
  }

  /** Waits until the server says so. */
  async serverSays(isSo: (status: FleetStatus) => boolean, patienceMs = 120_000): Promise<FleetStatus> {
    let last: FleetStatus | undefined;
    await until(async () => {
      last = (await this.status()) ?? last;
      return last !== undefined && isSo(last);
    }, patienceMs).catch((cause) => {
      throw new Error(`${cause}\nlast status: ${JSON.stringify(last)}\n${this.server?.stderr.slice(-3000)}`, {
        cause,
      });
    });
    return last!;
  }

  /** Kills the server after a while and starts it again. */
  async killServerAfter(delayMs: number): Promise<void> {
    await sleep(delayMs);
    await this.server?.stop("SIGKILL");
    this.startServer();
  }

  /** Rounds in which the device has stored an update, and in which it has heard that one was accepted. */
  updatesOf(name: DeviceName): { readonly stored: readonly number[]; readonly accepted: readonly number[] } {
    const lines = this.#devices.get(name)!.flatMap(({ stderr }) => stderr.split("\n"));
    const rounds = (message: string) =>
      lines
        .filter((line) => line.includes(`"${message}"`))
        .map((line) => (JSON.parse(line) as { round: number }).round);
    return {
      stored: rounds("update stored until the server's receipt"),
      accepted: rounds("update accepted"),
    };
  }

  /** SHA-256 of the newest version's params. */
  async headHash(): Promise<string> {
    const answer = await this.#get<{ models: { isHead: boolean; sha256: string }[] }>("/api/models");
    return answer!.models.find(({ isHead }) => isHead)!.sha256;
  }

  /** Examples on a device's disk. */
  examplesOf(name: DeviceName): number {
    const path = join(this.folder, name, "telemetry.db");
    const database = openSqlite({ path, durability: "normal", migrations: telemetryMigrations });
    try {
      return Number(database.get("SELECT count(*) AS n FROM example")?.n);
    } finally {
      database.close();
    }
  }

  async stop(): Promise<void> {
    const devices = [...this.#devices.values()].flat();
    await Promise.all([...devices, this.server].map((program) => program?.stop()));
  }

  async #get<Answer>(path: string): Promise<Answer | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#httpPort}${path}`);
      return response.ok ? ((await response.json()) as Answer) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Prepares the snapshot in `folder`: enrols the devices, lets them adopt the task and take in all telemetry. */
export async function prepareSnapshot(folder: string, yaml: string = FLEET_TASK): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const task = join(folder, "task.yaml");
  writeFileSync(task, yaml);
  await done(
    Program.start(["enrol", ...DEVICES, "--data", join(folder, "server"), "--task", task, "--out", folder]),
  );
  const telemetry = await startTelemetryBroker({ logger: silentLogger });
  const fleet = new FleetProcesses(folder, await embeddedUplink("tcp"), await freePort());
  try {
    fleet.startServer();
    await fleet.serverSays(() => true);
    fleet.startDevices(telemetry.url);
    await Promise.all(DEVICES.map((name) => fleet.device(name).said(/task adopted/)));
    // From here on the devices are alone: they gather what they will learn from.
    await fleet.server?.stop();
    await done(Program.start(["replay", task, "--to", telemetry.url, "--speed", "max", "--batch", "50"]));
    const expected = await examplesToCome(yaml);
    await until(() => DEVICES.every((name) => fleet.examplesOf(name) === expected.get(name)), 60_000);
  } finally {
    await fleet.stop();
    await telemetry.close();
  }
}

/** How many examples each device makes of its telemetry. */
async function examplesToCome(yaml: string): Promise<ReadonlyMap<string, number>> {
  const { task } = parseTask(yaml);
  const feed = await loadFeed(task, { folder: undefined, devices: undefined, seed: "1" });
  const counts = new Map<string, number>();
  for (const [device, readings] of feed.devices) {
    let count = 0;
    const sink = { features: () => undefined, example: () => void count++ };
    const pipeline = createPipeline(task, { counters: new Counters(), sink });
    for (const reading of readings) pipeline.push(reading);
    counts.set(device, count);
  }
  return counts;
}

/** A run of its own on a copy of the snapshot. */
export async function cloneSnapshot(
  snapshot: string,
  folder: string,
  uplink: Uplink,
): Promise<FleetProcesses> {
  cpSync(snapshot, folder, { recursive: true });
  return new FleetProcesses(folder, uplink, await freePort());
}

/** Over the server's own broker. */
export async function embeddedUplink(kind: "tcp" | "ws"): Promise<Uplink> {
  const [tcp, ws] = [await freePort(), await freePort()];
  return {
    url: kind === "tcp" ? `mqtt://127.0.0.1:${tcp}` : `ws://127.0.0.1:${ws}`,
    server: ["--listen", `127.0.0.1:${tcp}`, "--ws", `127.0.0.1:${ws}`],
  };
}

async function done(program: Program): Promise<void> {
  const { code } = await program.exit;
  if (code !== 0) throw new Error(`ended with ${code}\n${program.stdout}\n${program.stderr}`);
}

function deviceConfig(
  folder: string,
  name: DeviceName,
  { url, telemetryUrl }: { readonly url: string; readonly telemetryUrl: string },
): string {
  return `server: ${url}
credential: ${name}.credential.json
data: ${join(folder, name)}
sources: { pump: { broker: "${telemetryUrl}", topic: plant/${name}/telemetry } }
`;
}
