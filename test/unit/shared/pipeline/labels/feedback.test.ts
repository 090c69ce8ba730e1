import { describe, expect, test } from "vitest";
import { predictionId } from "../../../../../shared/pipeline/labels/prediction-id.js";
import type { Reading } from "../../../../../shared/pipeline/types.js";
import { hashPipeline } from "../../../../../shared/task/hash.js";
import { collect, reading, runAll, taskOf } from "../../../../support/pipeline.js";

const MINUTE_MS = 60_000;

function taskWith(feedback: Readonly<Record<string, unknown>>) {
  return taskOf({
    sources: { air: {}, words: {} },
    label: { feedback: { from: "words", of: "activity", wait: "10m", ...feedback } },
    model: { dense: [4], output: { classification: 3 } },
  });
}

const row = (minute: number, entity = "a") => reading(minute * MINUTE_MS, { x: minute }, entity);

function said(minute: number, values: Reading["values"], rest: Partial<Reading> = {}): Reading {
  return { source: "words", entity: "a", timeMs: minute * MINUTE_MS, values, ...rest };
}

/** Minute and label of each example. */
const labels = ({ examples }: ReturnType<typeof collect>) =>
  examples.map(({ timeMs, label }) => [timeMs / MINUTE_MS, label]);

describe("feedback by id", () => {
  const task = taskWith({ match: "id" });
  const idOf = (minute: number, entity = "a") => predictionId(hashPipeline(task), entity, minute * MINUTE_MS);
  const answer = (about: number, activity: number, at: number) =>
    said(at, { activity }, { id: idOf(about), entity: "nobody" });

  test("labels the row whose prediction it names, whatever the reading's own entity", () => {
    const collected = runAll(task, [row(0), row(1), answer(0, 2, 1), row(2), answer(2, 1, 2)]);
    expect(labels(collected)).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(collected.counters.toJSON()).toEqual({
      "labels.delay.1m": 2,
      "labels.matched": 2,
      "labels.rows": 3,
      "labels.unlabelled": 1,
    });
  });

  test("the last said counts, in whatever order it comes, until the wait is over", () => {
    const { pipeline, examples, counters } = collect(task);
    pipeline.push(row(0));
    pipeline.push(answer(0, 2, 5));
    pipeline.push(answer(0, 1, 4));
    pipeline.push(row(10));
    expect(examples).toEqual([]);
    pipeline.push(row(11));
    expect(examples.map(({ label }) => label)).toEqual([2]);
    pipeline.push(answer(0, 0, 11));
    expect(examples.map(({ label }) => label)).toEqual([2]);
    expect(counters.get("labels.unmatched")).toBe(1);
  });

  test("without an id, or with an unknown one, it is counted and forgotten", () => {
    const { pipeline, counters } = collect(task);
    pipeline.push(said(0, { activity: 1 }));
    pipeline.push(said(0, { activity: 1 }, { id: "elsewhere" }));
    expect(counters.toJSON()).toEqual({ "labels.unmatched": 2 });
  });
});

describe("feedback by time", () => {
  const task = taskWith({ match: "time" });

  test("labels the row of exactly that time, also when it comes first", () => {
    const collected = runAll(task, [
      said(1, { activity: 2 }),
      row(0),
      row(1),
      row(2),
      said(2, { activity: 0 }),
    ]);
    expect(labels(collected)).toEqual([
      [1, 2],
      [2, 0],
    ]);
  });

  test("what is no class, matches no row or comes too late is counted", () => {
    const { counters } = runAll(task, [
      row(0),
      said(0, { activity: 3 }),
      said(0.5, { activity: 1 }),
      row(20),
      said(1, { activity: 1 }),
      said(0, {}),
    ]);
    expect(counters.toJSON()).toMatchObject({
      "labels.not-a-class": 1,
      "labels.too-late": 2,
      "labels.unmatched": 1,
      "labels.unlabelled": 2,
    });
  });

  test("classes are called by what the field holds, in their order", () => {
    const named = taskWith({ match: "time", classes: [7, 5, 9] });
    const collected = runAll(named, [row(0), said(0, { activity: 9 }), row(1), said(1, { activity: 1 })]);
    expect(labels(collected)).toEqual([[0, 2]]);
    expect(collected.counters.get("labels.not-a-class")).toBe(1);
  });
});

describe("feedback by interval", () => {
  const task = taskWith({ match: { interval: { start: "from", end: "to", span: "10m" } } });
  const stretch = (from: number, to: number, activity: number, at: number) =>
    said(at, { activity, from: from * 60, to: to * 60 });

  test("a row has the label that covers at least the purity of it", () => {
    const collected = runAll(task, [
      row(0),
      row(10),
      stretch(0, 8, 1, 8),
      stretch(8, 17, 2, 17),
      row(20),
      stretch(17, 40, 0, 40),
    ]);
    // 0-10 is 80 % 1, 10-20 is 70 % 2.
    expect(labels(collected)).toEqual([
      [0, 1],
      [20, 0],
    ]);
    expect(collected.counters.get("labels.impure")).toBe(1);
  });

  test("what nobody labelled counts against purity", () => {
    const collected = runAll(task, [row(0), row(10), stretch(0, 7, 1, 7)]);
    expect(labels(collected)).toEqual([]);
    expect(collected.counters.toJSON()).toMatchObject({ "labels.impure": 1, "labels.unlabelled": 1 });
  });

  test("where stretches overlap the last said counts", () => {
    const collected = runAll(task, [row(0), stretch(2, 5, 2, 9), stretch(0, 10, 1, 10)]);
    expect(labels(collected)).toEqual([[0, 1]]);
    const corrected = runAll(task, [row(0), stretch(0, 10, 1, 9), stretch(1, 10, 2, 10)]);
    expect(labels(corrected)).toEqual([[0, 2]]);
  });

  test("an end before the start is no stretch", () => {
    const { counters } = runAll(task, [row(0), stretch(5, 5, 1, 5), said(1, { activity: 1, from: 0 })]);
    expect(counters.get("labels.bad-interval")).toBe(2);
  });

  test("a row without an extent has the label of its moment", () => {
    const moment = taskWith({ match: { interval: { start: "from", end: "to" } } });
    const collected = runAll(moment, [row(0), row(5), row(8), stretch(5, 8, 1, 8)]);
    expect(labels(collected)).toEqual([[5, 1]]);
  });

  test("what is said in time about its end is too late for rows at its start, and counted", () => {
    const { pipeline, counters, examples } = collect(task);
    for (let minute = 0; minute <= 60; minute += 10) pipeline.push(row(minute));
    pipeline.push(stretch(0, 55, 1, 60));
    pipeline.flush();
    expect(examples.map(({ timeMs }) => timeMs / MINUTE_MS)).toEqual([40]);
    expect(counters.toJSON()).toMatchObject({ "labels.partly-late": 1 });
  });
});

test("an id has 24 hex digits and tells pipeline, entity and time apart", () => {
  const ids = ["a", "b"].flatMap((hash) =>
    ["x", "y"].flatMap((entity) => [1, 12].map((timeMs) => predictionId(hash, entity, timeMs))),
  );
  expect(new Set(ids).size).toBe(8);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{24}$/);
  // printf 'hash\n1000\npump' | sha256sum
  expect(predictionId("hash", "pump", 1000)).toBe("a321a5b8401f3b6bd49ade93");
});
