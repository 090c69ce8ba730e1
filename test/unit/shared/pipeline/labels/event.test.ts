import { describe, expect, test } from "vitest";
import type { Reading } from "../../../../../shared/pipeline/types.js";
import { collect, HOUR_MS, reading, runAll, taskOf } from "../../../../support/pipeline.js";

const FAILURE = 1;
const STOPPED = 2;

function taskWith(event: Readonly<Record<string, unknown>> = {}) {
  return taskOf({
    sources: { air: { late: { disorder: "0s" } }, failures: {} },
    label: {
      event: {
        from: "failures",
        of: "kind",
        positive: [FAILURE],
        censor: [STOPPED],
        horizon: "3h",
        wait: "0s",
        silence: "1h",
        ...event,
      },
    },
    model: { dense: [4], output: "binary" },
  });
}

/** An hourly row for each hour. */
const hours = (...list: readonly number[]) => list.map((hour) => reading(hour * HOUR_MS, { x: hour }));

const event = (hour: number, kind: number, entity = "a"): Reading => ({
  source: "failures",
  entity,
  timeMs: hour * HOUR_MS,
  values: { kind },
});

/** Hour and label of each example. */
const labels = ({ examples }: ReturnType<typeof collect>) =>
  examples.map(({ timeMs, label }) => [timeMs / HOUR_MS, label]);

describe("labels from events", () => {
  test("a row is 1 when the event falls in (t, t + horizon], else 0", () => {
    const collected = runAll(taskWith(), [
      ...hours(0, 1, 2, 3, 4),
      event(4, FAILURE),
      ...hours(5, 6, 7, 8, 9),
    ]);
    expect(labels(collected)).toEqual([
      [0, 0],
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 0],
      [5, 0],
      [6, 0],
    ]);
    // The last three have not seen their horizon pass.
    expect(collected.counters.get("labels.unripe")).toBe(3);
  });

  test("there is no 0 before the horizon and the wait have passed", () => {
    const { pipeline, examples } = collect(taskWith({ wait: "30m" }));
    for (const row of hours(0, 1, 2, 3)) pipeline.push(row);
    expect(examples).toEqual([]);
    pipeline.push(reading(3.5 * HOUR_MS, { x: 0 }));
    expect(examples).toEqual([]);
    pipeline.push(reading(3.5 * HOUR_MS + 1, { x: 0 }));
    expect(examples.map(({ label }) => label)).toEqual([0]);
    expect(pipeline.unlabelled.rows).toBe(5);
  });

  test("what is censored before an event has come is unknown; an event in the horizon counts all the same", () => {
    const collected = runAll(taskWith(), [
      ...hours(0, 1, 2),
      event(2, STOPPED),
      ...hours(3, 4),
      event(4, FAILURE),
      ...hours(5, 6, 7, 8),
    ]);
    expect(labels(collected)).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 0],
      [5, 0],
    ]);
    expect(collected.counters.get("labels.censored")).toBe(1);
  });

  test("rows after an event are left out for as long as repair takes", () => {
    const collected = runAll(taskWith({ exclude: { after: "2h" } }), [
      ...hours(0, 1),
      event(1, FAILURE),
      ...hours(2, 3, 4, 5, 6),
    ]);
    expect(labels(collected)).toEqual([
      [0, 1],
      [3, 0],
    ]);
    expect(collected.counters.get("labels.excluded")).toBe(2);
  });

  test("a device that stops never makes a 0, whether it comes back or not", () => {
    const back = runAll(taskWith(), [...hours(0, 1, 2), ...hours(20, 21, 22, 23)]);
    expect(labels(back)).toEqual([[20, 0]]);
    expect(back.counters.get("labels.silent")).toBe(3);

    const gone = collect(taskWith());
    for (const row of hours(0, 1, 2)) gone.pipeline.push(row, row.timeMs);
    for (let hour = 3; hour < 30; hour++) gone.pipeline.advance(hour * HOUR_MS);
    expect(gone.examples).toEqual([]);
    expect(gone.counters.get("labels.silent")).toBe(3);
    expect(gone.pipeline.unlabelled.rows).toBe(0);
  });

  test("of another entity nothing is heard; events that come late or to nothing are counted", () => {
    const collected = runAll(taskWith(), [
      event(1, FAILURE, "b"),
      ...hours(0, 1, 2, 3, 4),
      event(3.5, 7),
      event(2.5, FAILURE),
      event(4.5, FAILURE),
      event(4.5, FAILURE),
    ]);
    expect(labels(collected)).toEqual([
      [0, 0], // decided before the event was heard
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(collected.counters.toJSON()).toMatchObject({
      "labels.duplicate": 1,
      "labels.other": 1,
      "labels.too-late": 1,
      "labels.unmatched": 1,
    });
  });

  test("an event from the future is refused", () => {
    const { pipeline, counters } = collect(taskWith());
    pipeline.push(event(10, FAILURE), 2 * HOUR_MS);
    expect(counters.toJSON()).toEqual({ "labels.future": 1 });
  });

  test("waiting rows are thinned before they wait", () => {
    const task = { ...taskWith() };
    const thinned = { ...task, rows: { ...task.rows, everyMs: HOUR_MS } };
    const { pipeline, counters } = collect(thinned);
    for (let minute = 0; minute < 120; minute++) pipeline.push(reading(minute * 60_000, { x: 0 }));
    expect(pipeline.unlabelled.rows).toBe(2);
    expect(counters.get("examples.thinned")).toBe(118);
  });

  test("rows of all entities have so much room, and the oldest of the one that wants more goes", () => {
    const { pipeline, counters, examples } = collect(taskWith(), { unlabelledRows: 3 });
    for (const row of hours(0, 1, 2)) pipeline.push(row);
    pipeline.push(reading(3 * HOUR_MS, { x: 0 }));
    pipeline.push(reading(3 * HOUR_MS, { x: 0 }, "b"));
    expect(pipeline.unlabelled.rows).toBe(3);
    expect(counters.get("labels.pending-full")).toBe(2);
    for (const row of hours(4)) pipeline.push(row);
    expect(examples.map(({ timeMs }) => timeMs / HOUR_MS)).toEqual([]);
  });

  test("an event may come before its entity's first row, but takes no other entity's place", () => {
    const full = collect(taskWith(), { entities: 1 });
    full.pipeline.push(reading(0, { x: 0 }, "b"));
    full.pipeline.push(event(1, FAILURE));
    expect(full.counters.get("labels.no-entity")).toBe(1);
    const early = runAll(taskWith(), [event(1, FAILURE), ...hours(0)]);
    expect(labels(early)).toEqual([[0, 1]]);
  });
});
