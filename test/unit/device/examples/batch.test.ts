import { expect, test } from "vitest";
import { WriteBatch } from "../../../../device/batched-writes.js";
import { ExampleReader } from "../../../../device/examples/batch.js";
import { ExampleStore } from "../../../../device/examples/store.js";
import { Counters } from "../../../../shared/counters.js";
import { createDisk } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { denseModel } from "../../../support/model.js";

const scaler = { offset: [1, 2, 3], factor: [2, 1, 0.5], label: { offset: 10, factor: 0.1 } };
const classes = denseModel({ output: { kind: "classification", classes: 4 } });

function openReader(rows: number, definition = denseModel()) {
  const clock = new ManualClock();
  const database = createDisk().telemetry;
  const store = new ExampleStore({
    database,
    batch: new WriteBatch(database, clock),
    counters: new Counters(),
    limits: { rows: 1_000_000, ageMs: undefined },
    meaning: "m",
  });
  for (let i = 0; i < rows; i++) {
    const features = Float32Array.of(i, 2, 5);
    const row = { entity: "e", timeMs: i, features, test: false, persistence: i % 2 ? null : i };
    store.add({ ...row, label: i % 4, split: "train" });
  }
  return { store, reader: new ExampleReader(store, definition, clock) };
}

test("rows are scaled by the scaler, and lie in memory that workers share", async () => {
  const { reader } = openReader(3);
  const { rows, x, y } = await reader.scaled("train", scaler);
  expect(rows).toBe(3);
  expect([...x]).toEqual([-2, 0, 1, 0, 0, 1, 2, 0, 1]);
  expect([...y]).toEqual([-1, -0.9, -0.8].map(Math.fround));
  expect(x.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("classes are one-hot", async () => {
  const { reader } = openReader(3, classes);
  const { y } = await reader.scaled("train", scaler);
  expect([...y]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
});

test("a binary label stays 0 or 1, whatever the scaler says of labels", async () => {
  const { reader } = openReader(2, denseModel({ output: { kind: "binary" } }));
  expect([...(await reader.scaled("train", scaler)).y]).toEqual([0, 1]);
});

test("a split of many pages is read whole and in order", async () => {
  const { reader } = openReader(4501);
  const { rows, features, labels, persistence } = await reader.raw("train");
  expect(rows).toBe(4501);
  expect(features[3 * 4500]).toBe(4500);
  expect(labels[4499]).toBe(3);
  expect([...persistence.subarray(0, 3)]).toEqual([0, Number.NaN, 2]);
});

test("an empty split is an empty batch", async () => {
  const { reader } = openReader(0);
  expect(await reader.scaled("validation", scaler)).toMatchObject({ rows: 0 });
});

test("a batch is kept until an example or the scaler changes it", async () => {
  const { reader, store } = openReader(3);
  const first = await reader.scaled("train", scaler);
  expect(await reader.scaled("train", scaler)).toBe(first);
  expect(await reader.scaled("train", { ...scaler, offset: [0, 0, 0] })).not.toBe(first);
  const again = await reader.scaled("train", scaler);
  store.add({
    entity: "e",
    timeMs: 9,
    features: Float32Array.of(1, 2, 3),
    test: false,
    persistence: null,
    label: 0,
    split: "train",
  });
  expect((await reader.scaled("train", scaler)).rows).toBe(again.rows + 1);
});

test("a split that changes is laid into the memory it had, with room for more", async () => {
  const { reader, store } = openReader(10, classes);
  const one = { entity: "e", timeMs: 9, test: false, persistence: null, split: "train" } as const;
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 100; round++) {
    buffers.add((await reader.scaled("train", scaler)).y.buffer);
    store.add({ ...one, features: Float32Array.of(1, 2, 3), label: 0 });
  }
  expect(buffers.size).toBeLessThan(8);
});

test("nothing is left of the labels that lay in a batch's memory before", async () => {
  const { reader, store } = openReader(8, classes);
  await reader.scaled("train", scaler);
  const first = await reader.scaled("train", { ...scaler, offset: [0, 0, 0] });
  const another = { ...scaler, label: { offset: 0, factor: 1 } };
  store.add({
    ...{ entity: "e", timeMs: 9, test: false, persistence: null, split: "validation" },
    ...{ features: Float32Array.of(1, 2, 3), label: 0 },
  });
  const { y } = await reader.scaled("train", another);
  expect(y.buffer).toBe(first.y.buffer);
  expect(y.reduce((sum, value) => sum + value, 0)).toBe(8);
});

test("two calls at once do not write to the same memory", async () => {
  const { reader } = openReader(600);
  await reader.scaled("train", scaler);
  const [moved, same] = await Promise.all([
    reader.scaled("train", { ...scaler, offset: [1, 2, 5] }),
    reader.scaled("train", { ...scaler, offset: [0, 0, 0] }),
  ]);
  expect([...moved.x.subarray(0, 3)]).toEqual([-2, 0, 0]);
  expect([...same.x.subarray(0, 3)]).toEqual([0, 2, 2.5]);
});

test("statistics are those of the unscaled train rows, the label last", async () => {
  const { reader } = openReader(5);
  const { count, mean, min, max } = await reader.statistics();
  expect({ count, mean, min, max }).toEqual({
    count: 5,
    mean: [2, 2, 5, 1.2],
    min: [0, 2, 5, 0],
    max: [4, 2, 5, 3],
  });
});
