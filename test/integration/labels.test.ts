// A whole device whose labels come from elsewhere: it predicts, somebody answers by the prediction's name, and the row it
// had predicted becomes an example; an autoencoder calls out what is unlike all it was shown.

import { beforeEach, expect, test } from "vitest";
import { createDecoder } from "../../device/ingest/decoders/registry.js";
import { createEntityReader } from "../../device/ingest/entity.js";
import { layOut } from "../../shared/pipeline/layout.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker, type MemoryBroker } from "../../shared/transport/memory.js";
import { type BenchDevice, createDevice } from "../support/device-kit.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { testEngines } from "../support/test-engines.js";

const SECOND_MS = 1_000;
const START_MS = Date.UTC(2026, 0, 1);

const engines = testEngines();
let clock: ManualClock;
let broker: MemoryBroker;

beforeEach(() => {
  clock = new ManualClock();
  broker = createMemoryBroker({ clock });
});

/** A device that serves the version that `params` make. */
async function serving(task: LoadedTask, params: Float32Array): Promise<BenchDevice> {
  const server = new ScriptedServer(broker, task);
  await server.retainTask();
  const device = createDevice({ name: "pump-1", clock, broker, engines });
  await device.agent.start();
  await clock.until(() => device.of("task-adopted").length > 0);
  await server.retainStable(await server.version(1, engines.runtime, { params }));
  await clock.until(() => device.of("serving").length > 0);
  return device;
}

test("an answer by the name of a prediction makes an example of the row as it was predicted", async () => {
  const task = parseTask(`task: linear
sources:
  line: { late: { disorder: 0s } }
  answers: { id: prediction, text: { verdict: [fine, broken] } }
features: { from: line, list: [{ copy: [a, b] }] }
label: { feedback: { from: answers, of: verdict, match: id, wait: 10s } }
rows: { split: { validation: 0% } }
model: { dense: [], output: binary }
`);
  const device = await serving(task, Float32Array.of(1, -1, 0));
  const row = (second: number, a: number, b: number) => ({
    ...{ source: "line", entity: "pump-1", timeMs: START_MS + second * SECOND_MS, values: { a, b } },
  });
  await device.agent.ingest([row(0, 5, 1), row(1, 1, 5)]);
  const [first, second] = device.of("prediction");
  expect([first?.value, second?.value]).toEqual([1, 0]);
  expect(device.agent.predictions({ limit: 1 }).predictions).toMatchObject([
    { id: second?.id, anomaly: null },
  ]);

  const answer = JSON.stringify({ prediction: first?.id, verdict: "broken", ts: START_MS / SECOND_MS + 2 });
  const source = task.task.sources.answers!;
  const decode = await createDecoder({
    ...{ name: "answers", source, fields: layOut(task.task).labelSource!.fields },
    entityOf: createEntityReader("{device}", device.id),
  });
  const decoded = decode({ topic: "answers", payload: Buffer.from(answer), arrivalMs: START_MS });
  expect(device.agent.status().unlabelled).toBe(2);
  await device.agent.ingest([...decoded.readings, row(12, 0, 0)]);

  const { rows, features, labels } = await device.agent.examples("train");
  expect({ rows, features: [...features], labels: [...labels] }).toEqual({
    ...{ rows: 1, features: [5, 1], labels: [1] },
  });
  expect(device.agent.counters.toJSON()).toMatchObject({
    "labels.matched": 1,
    "labels.rows": 3,
    "labels.unlabelled": 1,
  });
});

test("an autoencoder says of a row beyond its threshold that it is an anomaly, once it has rows to judge by", async () => {
  const task = parseTask(`task: linear
sources: { line: { late: { disorder: 0s } } }
features: { from: line, list: [{ copy: [a, b] }] }
label: { none: { threshold: 90% } }
rows: { split: { validation: { share: 50%, by: example } } }
model: { autoencoder: [1] }
`);
  // Gives zeros whatever comes: a row's error is its size.
  const device = await serving(task, new Float32Array(2 + 1 + 2 + 2));
  const rows = (from: number, sizes: readonly number[]) =>
    sizes.map((size, i) => ({
      ...{ source: "line", entity: "pump-1", timeMs: START_MS + (from + i) * SECOND_MS },
      values: { a: size, b: size },
    }));
  await device.agent.ingest(rows(0, [9]));
  await device.agent.ingest(
    rows(
      1,
      Array.from({ length: 200 }, (_, i) => 1 + (i % 10) / 10),
    ),
  );
  await clock.advance(SECOND_MS); // what is held out is on disk a second later
  await device.agent.ingest(rows(201, [1.2, 5]));
  const judged = device.of("prediction").map(({ anomaly }) => anomaly);
  expect([judged[0], ...judged.slice(-2)]).toEqual([null, 0, 1]);
});
