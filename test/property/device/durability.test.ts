// Wherever a process dies, what is stored is what one process that never died would have made of the same log.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counters } from "../../../shared/counters.js";
import { createPipeline } from "../../../shared/pipeline/pipeline.js";
import type { Example, Reading } from "../../../shared/pipeline/types.js";
import type { Database } from "../../../shared/storage/port.js";
import { parseTask } from "../../../shared/task/parse.js";
import { createMemoryBroker } from "../../../shared/transport/memory.js";
import { createDurableDisk, type DurableDisk } from "../../support/durable-device.js";
import { ManualClock } from "../../support/manual-clock.js";
import { type End, end, MortalDevice } from "../../support/mortal-device.js";
import { ScriptedServer } from "../../support/scripted-server.js";
import { testEngines } from "../../support/test-engines.js";

const START_MS = Date.UTC(2026, 5, 1);
const SECOND_MS = 1000;

// Two sources of which one often falls silent, state of every kind, and rows that the clock alone brings out.
const task = parseTask(`task: linear
sources:
  line: { late: { disorder: 3s, idle: 8s, then: drop } }
  side: { late: { disorder: 0s, idle: 5s, then: drop } }
join:
  both: { left: line, asof: { side: { take: [b], back: 20s, miss: drop } } }
steps:
  even: { from: both, do: [{ resample: { every: 2s, fill: { hold: 6s } } }] }
features: { from: even, list: [{ copy: [a, b] }, { lag: { of: a, by: [2s, 4s] } }, { rolling: { of: a, over: 10s, get: [mean, max] } }] }
label: { forecast: { of: a, ahead: 4s } }
rows: { split: { validation: { share: 20%, by: example } } }
model: { dense: [] }
train: { batch: 8, epochs: 1, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m }
`);

const engines = testEngines();

type Step =
  | {
      readonly kind: "message";
      readonly source: "line" | "side";
      readonly lagMs: number;
      readonly value: number;
    }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "damage" }
  | End;

const message = fc.record({
  kind: fc.constant("message" as const),
  source: fc.constantFrom("line" as const, "line" as const, "line" as const, "side" as const),
  lagMs: fc.integer({ min: -500, max: 4000 }),
  value: fc.integer({ min: 0, max: 99 }),
});
const wait = fc.record({
  kind: fc.constant("wait" as const),
  ms: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 400, max: 9000 })),
});
const damage = fc.record({ kind: fc.constant("damage" as const) });
const steps = fc.array(
  fc.oneof(
    { weight: 72, arbitrary: message },
    { weight: 48, arbitrary: wait },
    { weight: 5, arbitrary: end },
    { weight: 1, arbitrary: damage },
  ),
  { minLength: 20, maxLength: 150, size: "max" },
);

/** Runs the steps over one disk; messages that no process has acknowledged come again, as from a broker. */
async function run(script: readonly Step[], disk: DurableDisk): Promise<void> {
  const clock = new ManualClock(START_MS);
  const broker = createMemoryBroker({ clock });
  const server = new ScriptedServer(broker, task);
  await server.retainTask();
  const device = await MortalDevice.start({ name: "pump-1", engines, clock, broker, disk });
  for (const step of script) {
    await device.survive(async () => {
      if (step.kind === "message") device.send(readingOf(step, clock.now()));
      else if (step.kind === "wait") await clock.advance(step.ms);
      else if (step.kind === "damage") {
        disk.telemetry.run("UPDATE checkpoint SET content = zeroblob(length(content))");
        await device.restart();
      } else await device.meet(step);
    });
  }
  await device.endOfData();
  device.process.kill();
}

/** Reads a file of one reading a line into one disk, killed after so many lines each, and goes on where it was. */
async function runFile(
  lines: readonly Reading[],
  kills: readonly number[],
  disk: DurableDisk,
): Promise<void> {
  const clock = new ManualClock(START_MS);
  const broker = createMemoryBroker({ clock });
  await new ScriptedServer(broker, task).retainTask();
  const file = "readings.jsonl";
  const device = await MortalDevice.start({ name: "pump-1", engines, clock, broker, disk, file });
  const take = (line: number, arrivalMs: number) => {
    const payload = Buffer.from(JSON.stringify(lines[line]));
    const { source } = lines[line]!;
    return device.process.recorder.take({ source, topic: file, payload, arrivalMs, position: line + 1 });
  };
  for (const kill of [...kills, lines.length]) {
    const from = device.process.position();
    for (let line = from; line < Math.min(lines.length, from + kill); line++) {
      await take(line, clock.now());
      if (line % 20 === 0) await clock.advance(kill);
    }
    await device.meet({ kind: kill % 3 === 0 ? "stop" : "kill" });
  }
  for (let line = device.process.position(); line < lines.length; line++) await take(line, 0);
  await device.process.agent.endOfData();
  device.process.kill();
}

function readingOf(step: Extract<Step, { kind: "message" }>, nowMs: number): Reading {
  const values = step.source === "line" ? { a: step.value } : { b: step.value };
  const timeMs = Math.floor((nowMs - step.lagMs) / SECOND_MS) * SECOND_MS;
  return { source: step.source, entity: "pump-1", timeMs, values };
}

/** What one pipeline makes of messages with these arrivals, as rows of the store. */
function examplesOf(messages: readonly { readonly reading: Reading; readonly arrivalMs?: number }[]) {
  const examples: Example[] = [];
  const sink = { features: () => undefined, example: (example: Example) => void examples.push(example) };
  const pipeline = createPipeline(task.task, { counters: new Counters(), sink });
  for (const { reading, arrivalMs } of messages) pipeline.push(reading, arrivalMs);
  pipeline.flush();
  return examples.map(({ split, entity, timeMs, label, features }) => ({
    ...{ split, entity, time_ms: timeMs, label },
    features: Buffer.from(features.buffer, features.byteOffset, features.byteLength).toString("hex"),
  }));
}

function loggedMessages(log: Database) {
  return log.all("SELECT payload, arrival_ms FROM message ORDER BY seq").map(({ payload, arrival_ms }) => ({
    reading: JSON.parse(Buffer.from(payload as Uint8Array).toString()) as Reading,
    arrivalMs: Number(arrival_ms),
  }));
}

function storedExamples(telemetry: Database) {
  return telemetry
    .all("SELECT split, entity, time_ms, label, features FROM example ORDER BY id")
    .map(({ features, ...row }) => ({
      ...row,
      features: Buffer.from(features as Uint8Array).toString("hex"),
    }));
}

describe("over one log", () => {
  test("any kills between and within writes give the examples of a process that never died", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const disk = createDurableDisk();
        await run(script, disk);
        expect(storedExamples(disk.telemetry)).toEqual(examplesOf(loggedMessages(disk.log)));
      }),
      { numRuns: 100, endOnFailure: true },
    );
  }, 60_000);

  test("a new task learns from what was logged for the one before, and predicts nothing of the past", async () => {
    const disk = createDurableDisk();
    const script: Step[] = Array.from({ length: 60 }, (_, i) => [
      { kind: "message" as const, source: i % 2 ? ("line" as const) : ("side" as const), lagMs: 0, value: i },
      { kind: "wait" as const, ms: 600 },
    ]).flat();
    await run(script, disk);
    const before = storedExamples(disk.telemetry);
    disk.telemetry.run("UPDATE example_meaning SET hash = 'of another task'");
    disk.telemetry.run("UPDATE checkpoint SET spec = 'of another task'");
    await run([], disk);
    expect(before.length).toBeGreaterThan(5);
    expect(storedExamples(disk.telemetry)).toEqual(before);
  });
});

describe("a file is its own log", () => {
  test("any kills give the examples of a process that read it through", async () => {
    const line = fc.record({ source: fc.constantFrom("line", "side"), lag: fc.nat(3), value: fc.nat(99) });
    const lines = fc.array(line, { minLength: 30, maxLength: 200, size: "max" });
    const kills = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, kills, async (drawn, kills) => {
        const readings = drawn.map(({ source, lag, value }, i): Reading => {
          const timeMs = START_MS + SECOND_MS * (source === "line" ? i - lag : i);
          return {
            source,
            entity: "pump-1",
            timeMs,
            values: source === "line" ? { a: value } : { b: value },
          };
        });
        const disk = createDurableDisk();
        await runFile(readings, kills, disk);
        expect(storedExamples(disk.telemetry)).toEqual(examplesOf(readings.map((reading) => ({ reading }))));
        expect(disk.log.all("SELECT * FROM message")).toEqual([]);
      }),
      { numRuns: 50, endOnFailure: true },
    );
  }, 60_000);
});
