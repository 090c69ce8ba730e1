// Wherever a process dies, its monitor tells what that of one process tells that never died: every row and every label once.

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reading } from "../../../shared/pipeline/types.js";
import type { Database } from "../../../shared/storage/port.js";
import { parseTask } from "../../../shared/task/parse.js";
import { createMemoryBroker, type MemoryBroker } from "../../../shared/transport/memory.js";
import { createEngines, type Engines } from "../../support/device-kit.js";
import { createDurableDisk, type DurableDisk, Killed, startProcess } from "../../support/durable-device.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ScriptedServer } from "../../support/scripted-server.js";

const START_MS = Date.UTC(2026, 5, 1);
const SECOND_MS = 1000;

const task = parseTask(`task: linear
sources:
  line: { late: { disorder: 2s, idle: 8s, then: drop } }
features: { from: line, list: [{ copy: [a] }, { lag: { of: a, by: [1s] } }] }
label: { forecast: { of: a, ahead: 3s } }
rows: { split: { validation: { share: 20%, by: example } } }
model: { dense: [] }
train: { batch: 8, epochs: 1, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m }
monitor: { window: 25, data: { ks: { rows: 50, effect: 0.1, windows: 1 } }, concept: page-hinkley }
`);

let engines: Engines;

beforeAll(async () => {
  engines = await createEngines();
});

afterAll(async () => {
  await engines.trainer.close();
  engines.runtime.dispose();
});

type Step =
  | { readonly kind: "messages"; readonly values: readonly number[] }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "kill" | "stop" }
  | { readonly kind: "fuse"; readonly left: number; readonly isDone: boolean };

const messages = fc.record({
  kind: fc.constant("messages" as const),
  values: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 30 }),
});
const wait = fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 9000 }) });
const end = fc.oneof(
  fc.record({ kind: fc.constantFrom("kill" as const, "stop" as const) }),
  fc.record({
    kind: fc.constant("fuse" as const),
    left: fc.integer({ min: 0, max: 6 }),
    isDone: fc.boolean(),
  }),
);
const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: messages }, { weight: 3, arbitrary: wait }, { weight: 2, arbitrary: end }),
  { minLength: 10, maxLength: 40, size: "max" },
);

interface Bench {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly disk: DurableDisk;
}

/** A device that serves version 1, with version 2 in shadow, before the first message. */
async function bench(): Promise<Bench> {
  const clock = new ManualClock(START_MS);
  const broker = createMemoryBroker({ clock });
  const server = new ScriptedServer(broker, task);
  await server.retainTask();
  const [stable, candidate] = await Promise.all(
    [1, 2].map((version) =>
      server.version(version, engines.runtime, { params: Float32Array.of(version, 0.1, 0.2) }),
    ),
  );
  const trial = { manifest: candidate!, mode: "shadow" as const, below: 2 ** 32, salt: "", labels: {} };
  await server.retainRelease({ sequence: 1, stable: stable!, trial });
  return { clock, broker, disk: createDurableDisk() };
}

async function start({ clock, broker, disk }: Bench) {
  const fuse = { left: -1, isDone: false };
  const process = await startProcess({ name: "pump-1", engines, fuse, clock, broker, disk });
  await clock.until(() => process.caughtUp() && process.agent.monitor()?.beside !== undefined);
  return { ...process, fuse };
}

/** What the monitor knows in the end, of a device that lived through the steps. */
async function live(script: readonly Step[], lab: Bench) {
  const { clock } = lab;
  let device = await start(lab);
  const unacknowledged = new Set<Reading>();
  const send = (reading: Reading) => {
    unacknowledged.add(reading);
    const payload = Buffer.from(JSON.stringify(reading));
    const { recorder } = device;
    void recorder.take({ source: "line", topic: "t", payload, arrivalMs: clock.now() }).then(() => {
      if (recorder === device.recorder) unacknowledged.delete(reading);
    });
  };
  const restart = async () => {
    device.kill();
    device = await start(lab);
    for (const reading of [...unacknowledged]) send(reading);
  };
  for (const step of script) {
    try {
      if (step.kind === "messages") {
        for (const value of step.values) {
          send(readingOf(value, clock.now()));
          await clock.advance(SECOND_MS);
        }
      } else if (step.kind === "wait") await clock.advance(step.ms);
      else if (step.kind === "kill") await restart();
      else if (step.kind === "fuse") Object.assign(device.fuse, step);
      else {
        await settled(clock, device.stop());
        await restart();
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      await restart();
    }
  }
  device.fuse.left = -1;
  await restart();
  await device.agent.endOfData();
  const { quality, ...known } = device.agent.monitor()!;
  device.kill();
  return known;
}

/** What the monitor knows of a device that took the same messages in one go. */
async function uninterrupted(log: Database) {
  const lab = await bench();
  const device = await start(lab);
  for (const { payload, arrival_ms } of log.all("SELECT payload, arrival_ms FROM message ORDER BY seq")) {
    const message = { source: "line", topic: "t", payload: Buffer.from(payload as Uint8Array) };
    void device.recorder.take({ ...message, arrivalMs: Number(arrival_ms) });
  }
  await device.agent.endOfData();
  const { quality, ...known } = device.agent.monitor()!;
  device.kill();
  return known;
}

/** Moves time on until the promise has settled. */
async function settled(clock: ManualClock, promise: Promise<void>): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await clock.until(() => isSettled);
  await promise;
}

function readingOf(value: number, nowMs: number): Reading {
  const timeMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
  return { source: "line", entity: "pump-1", timeMs, values: { a: value } };
}

test("any kills between and within writes leave what a process that never died knows", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const lab = await bench();
      const known = await live(script, lab);
      expect(known).toEqual(await uninterrupted(lab.disk.log));
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 120_000);

test("the runs above come to rows, labels, windows and a reference", async () => {
  const values = Array.from({ length: 250 }, (_, i) => (i * 37) % 100);
  const lab = await bench();
  const known = await live([{ kind: "messages", values }], lab);
  expect(known.serving?.rows).toBeGreaterThan(200);
  expect(known.paired.rows).toBeGreaterThan(200);
  expect(known.columns.length).toBeGreaterThan(0);
});
