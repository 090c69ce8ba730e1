// Wherever a process dies, its monitor tells what that of one process tells that never died: every row and every label once.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Reading } from "../../../shared/pipeline/types.js";
import type { Database } from "../../../shared/storage/port.js";
import { parseTask } from "../../../shared/task/parse.js";
import { createMemoryBroker, type MemoryBroker } from "../../../shared/transport/memory.js";
import { createDurableDisk, type DurableDisk } from "../../support/durable-device.js";
import { ManualClock } from "../../support/manual-clock.js";
import { type End, end, MortalDevice } from "../../support/mortal-device.js";
import { ScriptedServer, trialOf } from "../../support/scripted-server.js";
import { testEngines } from "../../support/test-engines.js";

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

const engines = testEngines();

type Step =
  | { readonly kind: "messages"; readonly values: readonly number[] }
  | { readonly kind: "wait"; readonly ms: number }
  | End;

const messages = fc.record({
  kind: fc.constant("messages" as const),
  values: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 30 }),
});
const wait = fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 9000 }) });
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
  const trial = trialOf(candidate!, "shadow");
  await server.retainRelease({ sequence: 1, stable: stable!, trial });
  return { clock, broker, disk: createDurableDisk() };
}

const start = (lab: Bench) =>
  MortalDevice.start({
    ...{ name: "pump-1", engines, ...lab },
    isReady: ({ agent }) => agent.monitor()?.beside !== undefined,
  });

/** What the monitor knows in the end, of a device that lived through the steps. */
async function live(script: readonly Step[], lab: Bench) {
  const { clock } = lab;
  const device = await start(lab);
  for (const step of script) {
    await device.survive(async () => {
      if (step.kind === "messages") {
        for (const value of step.values) {
          device.send(readingOf(value, clock.now()));
          await clock.advance(SECOND_MS);
        }
      } else if (step.kind === "wait") await clock.advance(step.ms);
      else await device.meet(step);
    });
  }
  await device.endOfData();
  return known(device);
}

/** What the monitor knows of a device that took the same messages in one go. */
async function uninterrupted(log: Database) {
  const device = await start(await bench());
  const { agent, recorder } = device.process;
  for (const { payload, arrival_ms } of log.all("SELECT payload, arrival_ms FROM message ORDER BY seq")) {
    const message = { source: "line", topic: "t", payload: Buffer.from(payload as Uint8Array) };
    void recorder.take({ ...message, arrivalMs: Number(arrival_ms) });
  }
  await agent.endOfData();
  return known(device);
}

function known({ process }: MortalDevice) {
  const { quality, ...rest } = process.agent.monitor()!;
  process.kill();
  return rest;
}

function readingOf(value: number, nowMs: number): Reading {
  const timeMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
  return { source: "line", entity: "pump-1", timeMs, values: { a: value } };
}

// The first write of all is the one that fails: what was logged by then is older than the next process, not than the task.
const deadBeforeTheFirstWrite: readonly Step[] = [
  { kind: "fuse", left: 3, isDone: false },
  { kind: "messages", values: [0, 0] },
  { kind: "wait", ms: 996 },
  { kind: "messages", values: [0, 0, 0] },
];

test("any kills between and within writes leave what a process that never died knows", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const lab = await bench();
      expect(await live(script, lab)).toEqual(await uninterrupted(lab.disk.log));
    }),
    { numRuns: 60, endOnFailure: true, examples: [[[...deadBeforeTheFirstWrite]]] },
  );
}, 120_000);

test("the runs above come to rows, labels, windows and a reference", async () => {
  const values = Array.from({ length: 250 }, (_, i) => (i * 37) % 100);
  const lab = await bench();
  const { serving, paired, columns } = await live([{ kind: "messages", values }], lab);
  expect(serving?.rows).toBeGreaterThan(200);
  expect(paired.rows).toBeGreaterThan(200);
  expect(columns.length).toBeGreaterThan(0);
});
