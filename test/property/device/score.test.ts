// Bulk scoring and a live device are one: the same rows, the same predictions, to the bit.

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Prediction } from "../../../device/fact.js";
import { ModelCache } from "../../../device/model/cache.js";
import { runOffline } from "../../../device/offline/run.js";
import { createScorer } from "../../../device/offline/score.js";
import { Counters } from "../../../shared/counters.js";
import { createRuntime } from "../../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../../shared/model/runtime.js";
import type { Reading } from "../../../shared/pipeline/types.js";
import { type LoadedTask, parseTask } from "../../../shared/task/parse.js";
import { createMemoryBroker } from "../../../shared/transport/memory.js";
import { createDevice, deviceId } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ScriptedServer } from "../../support/scripted-server.js";
import { tempFolder } from "../../support/temp-folder.js";
import { testEngines } from "../../support/test-engines.js";

const yaml = `task: linear
entity: "{topic.1}"
sources: { s: { mqtt: "m/+", late: { disorder: 3s } } }
features:
  from: s
  list: [{ copy: [a, b] }, { lag: { of: a, rows: [1, 3] } }, { rolling: { of: b, rows: 4, get: [mean, max] } }]
  scale: standard
label: { field: y, scale: standard }
rows: { split: { validation: 0% } }
model: { dense: [7, 5] }
`;
const loaded = parseTask(yaml);
const candidates = "candidates: { wide: { model: { dense: [7, 5] } }, flat: { model: { dense: [] } } }";
const chosen = parseTask(yaml.replace("model: { dense: [7, 5] }", candidates).replace("0%", "20%"));
const START_MS = Date.UTC(2026, 0, 1);
const folder = tempFolder();
const engines = testEngines();
let fused: ModelRuntime;

beforeAll(async () => {
  fused = await createRuntime("auto");
});

afterAll(async () => {
  fused.dispose();
});

const messages = fc.array(
  fc.record({
    machine: fc.constantFrom("a", "b"),
    /** Seconds since the one before; a late one now and then. */
    afterS: fc.constantFrom(1, 1, 1, 2, -2, -9, 30),
    a: fc.option(fc.double({ min: -50, max: 50, noNaN: true }), { freq: 9 }),
    b: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 700, size: "max" },
);

test("the same messages give the same predictions, however they were cut into calls", async () => {
  await fc.assert(
    fc.asyncProperty(messages, fc.integer({ min: 1, max: 300 }), async (messages, together) => {
      let atS = 0;
      const readings = messages.map(({ machine, afterS, a, b }): Reading => {
        atS = Math.max(0, atS + afterS);
        return { source: "s", entity: machine, timeMs: START_MS + atS * 1000, values: { a, b, y: 1 } };
      });
      const { live, kept } = await runLive(readings, together);
      const bulk = await runBulk(readings, kept);
      expect(bulk).toEqual(live);
    }),
    { numRuns: 12 },
  );
});

test("rows outside of the range are not scored, and warm up those inside", async () => {
  const readings = Array.from({ length: 40 }, (_, i): Reading => {
    return { source: "s", entity: "a", timeMs: START_MS + i * 1000, values: { a: Math.sin(i), b: i, y: 1 } };
  });
  const { live, kept } = await runLive(readings, 40);
  const range = { fromMs: START_MS + 20_000, toMs: START_MS + 30_000 };
  const inside = live.filter(({ timeMs }) => timeMs >= range.fromMs && timeMs < range.toMs);
  expect(inside).toHaveLength(10);
  expect(await runBulk(readings, kept, range)).toEqual(inside);
});

test("so does the version of a candidate", async () => {
  const readings = Array.from({ length: 40 }, (_, i): Reading => {
    return { source: "s", entity: "a", timeMs: START_MS + i * 1000, values: { a: Math.sin(i), b: i, y: 1 } };
  });
  const { live, kept } = await runLive(readings, 40, { task: chosen, arm: "flat" });
  expect(live.length).toBeGreaterThan(30);
  expect(await runBulk(readings, kept, { task: chosen })).toEqual(live);
});

/** A whole device, on whatever order its readings come in. */
async function runLive(
  readings: readonly Reading[],
  together: number,
  { task = loaded, ...of }: { readonly task?: LoadedTask; readonly arm?: string } = {},
) {
  const clock = new ManualClock();
  const broker = createMemoryBroker({ clock });
  const server = new ScriptedServer(broker, task);
  await server.retainTask();
  const width = Array.from({ length: 7 }, (_, i) => i + 1);
  const scaler = { offset: width.slice(1), factor: width.slice(1), label: { offset: 3, factor: 0.5 } };
  await server.retainStable(await server.version(4, fused, { scaler, ...of }));
  const device = createDevice({ name: "pi", clock, broker, engines: { ...engines, runtime: fused } });
  await device.agent.start();
  await clock.until(() => device.of("serving").length > 0);
  for (let start = 0; start < readings.length; start += together)
    await device.agent.ingest(readings.slice(start, start + together));
  await device.agent.endOfData();
  const live = device.of("prediction").map(({ type: _, ...prediction }): Prediction => prediction);
  const kept = new ModelCache(device.disk.state).read("stable")!;
  device.kill();
  return { live, kept };
}

/** The same as lines of a file. */
async function runBulk(
  readings: readonly Reading[],
  kept: NonNullable<ReturnType<ModelCache["read"]>>,
  {
    task = loaded,
    ...range
  }: { readonly task?: LoadedTask; readonly fromMs?: number; readonly toMs?: number } = {},
): Promise<readonly Prediction[]> {
  const lines = readings.map(
    ({ entity, timeMs, values }) => `m/${entity} ${JSON.stringify({ ts: timeMs / 1000, ...values })}`,
  );
  const predictions: Prediction[] = [];
  const scorer = await createScorer({
    scored: { loaded: task, ...kept },
    runtime: fused,
    range: { fromMs: range.fromMs, toMs: range.toMs },
    counters: new Counters(),
    sink: (prediction) => predictions.push(prediction),
  });
  await runOffline({
    ...{ task: task.task, device: deviceId("pi"), topic: undefined, withTopic: true, encoding: undefined },
    files: [{ path: folder.write("lines.jsonl", `${lines.join("\n")}\n`), source: "s" }],
    arrival: { fromMs: START_MS, everyMs: 1000 },
    sink: {
      features: (row) => scorer.features(row),
      example: () => undefined,
      ready: async () => true,
    },
  });
  scorer.flush();
  return predictions;
}
