// A federation of real processes on real disks: one server, three devices, brokers, and a way to kill each.
// Everything starts from one snapshot, in which the devices have their task and all their telemetry, so that
// two runs differ only in what happens to them.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../shared/clock.js";
import { parseTask } from "../../shared/task/parse.js";
import { freePort } from "./free-port.js";
import { Program } from "./program.js";

/** The devices, as the generator names them. */
export const DEVICES = ["pump-1", "pump-2", "pump-3"] as const;

/** All devices in every round, and deadlines that no downtime reaches: the result depends on nothing but the data. */
export const TASK = `task: pumps
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
rounds: { cohort: all, minDevices: 3, overSelect: 0%, quorum: 100%, deadline: 2h, lease: 1h, minExamples: 200, max: 12 }
evaluate: { every: 1, quorum: 100%, deadline: 2h }
simulate: { generator: pumps, with: { from: 2026-01-01, days: 3, history: 3 }, devices: 3 }
`;

/** What the server says of itself. */
interface Status {
  readonly head: number;
  readonly trainRounds: number;
  readonly finished?: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly devices: readonly { readonly device: string; readonly isConnected: boolean }[];
  readonly open?: { readonly round: number; readonly kind: string };
}
