import { describe, expect, test } from "vitest";
import { Counters } from "../../../../shared/counters.js";
import { layoutProblems } from "../../../../shared/pipeline/layout.js";
import { createPipeline } from "../../../../shared/pipeline/pipeline.js";
import type { FeatureRow, QuarantineItem, Reading, Value } from "../../../../shared/pipeline/types.js";
import { taskOf } from "../../../support/pipeline.js";

const MINUTE_MS = 60_000;

function guarded(source: object) {
  const task = taskOf({ sources: { air: source }, features: { from: "air", list: [{ copy: "x" }] } });
  const counters = new Counters();
  const rows: FeatureRow[] = [];
  const quarantine: QuarantineItem[] = [];
  const pipeline = createPipeline(task, {
    counters,
    sink: {
      features: (row) => void rows.push(row),
      example: () => undefined,
      quarantine: (item) => void quarantine.push(item),
    },
  });
  const push = (minute: number, x: Value, more: Partial<Reading> & { readonly seq?: number } = {}) => {
    const { seq = null, ...rest } = more;
    pipeline.push({ source: "air", entity: "a", timeMs: minute * MINUTE_MS, values: { x, seq }, ...rest });
  };
  return { push, counters, quarantine, values: () => rows.map(({ features }) => features[0]) };
}

/** One value a minute. */
function pushAll(push: (minute: number, x: Value) => void, values: readonly number[]): void {
  values.forEach((x, minute) => {
    push(minute, x);
  });
}

describe("checks", () => {
  test("a value out of range becomes missing, or the nearest limit, as asked", () => {
    const missing = guarded({ checks: { x: { min: 0, max: 100 } } });
    const clip = guarded({ checks: { x: { min: 0, max: 100, onFail: "clip" } } });
    for (const { push } of [missing, clip]) pushAll(push, [5, 101, -3]);
    expect(missing.values()).toEqual([5]);
    expect(clip.values()).toEqual([5, 100, 0]);
    for (const { counters } of [missing, clip]) expect(counters.get("checks.range")).toBe(2);
  });

  test("a quarantined reading goes as a whole, with the message it came in", () => {
    const { push, quarantine, values } = guarded({ checks: { x: { max: 100, onFail: "quarantine" } } });
    const raw = Buffer.from("x=101");
    push(0, 101, { raw });
    push(1, 7);
    expect(values()).toEqual([7]);
    const what = { source: "air", entity: "a", timeMs: 0 };
    expect(quarantine).toEqual([{ ...what, reason: "range", field: "x", value: 101, raw }]);
  });

  test("a stuck sensor is no measurement until it moves again", () => {
    const { push, counters, values } = guarded({ checks: { x: { stuck: "30m" } } });
    for (let minute = 0; minute <= 60; minute += 10) push(minute, 20);
    push(70, 21);
    // At 0, 10 and 20 minutes it may still be true.
    expect(values()).toEqual([20, 20, 20, 21]);
    expect(counters.get("checks.stuck")).toBe(4);
  });

  test("a jump is compared with the last good value, so that a bad one does not make the next good one bad", () => {
    const { push, counters, values } = guarded({ checks: { x: { change: { max: 5, per: "1m" } } } });
    pushAll(push, [20, 22, 900, 23, 27]);
    expect(values()).toEqual([20, 22, 23, 27]);
    expect(counters.get("checks.change")).toBe(1);
  });

  test("a counter may start anew, unless it must not", () => {
    const reset = guarded({ checks: { x: { counter: "reset" } } });
    const strict = guarded({ checks: { x: { counter: "strict" } } });
    for (const { push } of [reset, strict]) pushAll(push, [5, 8, 1, 2]);
    expect(reset.values()).toEqual([5, 8, 1, 2]);
    expect(reset.counters.get("checks.counter-reset")).toBe(1);
    expect(strict.values()).toEqual([5, 8]);
    expect(strict.counters.get("checks.counter")).toBe(2);
  });

  test("a value that there is not, and one that is missing though required, fail", () => {
    const { push, counters, values } = guarded({ checks: { x: { oneOf: [0, 1], required: true } } });
    push(0, 1);
    push(1, 2);
    push(2, null);
    expect(values()).toEqual([1]);
    expect(counters.toJSON()).toMatchObject({ "checks.value": 1, "checks.missing": 1 });
  });

  test("take numbers", () => {
    const task = taskOf({ sources: { air: { vectors: { v: 3 }, checks: { v: { min: 0 } } } } });
    expect(layoutProblems(task).map(({ message }) => message)).toEqual([
      'checks take numbers: "v" is a vector of 3',
    ]);
  });
});

describe("a reading that is there already", () => {
  test("is told by the fields named, within the time given", () => {
    const { push, counters, values } = guarded({ dedupe: { by: ["seq"], within: "5m" } });
    push(0, 1, { seq: 7 });
    push(1, 2, { seq: 8 });
    push(2, 1, { seq: 7 });
    push(9, 3, { seq: 7 });
    expect(values()).toEqual([1, 2, 3]);
    expect(counters.get("readings.duplicate")).toBe(1);
  });

  test("forecasts made at one time are many readings", () => {
    const task = taskOf({
      sources: { air: {}, sky: { dedupe: { by: ["for"] } } },
      join: { rows: { left: "air", asof: { sky: { take: ["t"], valid: "for", ahead: "10m", back: "1m" } } } },
      features: { from: "rows", list: [{ copy: ["x", "t"] }] },
    });
    const counters = new Counters();
    const rows: FeatureRow[] = [];
    const pipeline = createPipeline(task, {
      counters,
      sink: { features: (row) => void rows.push(row), example: () => undefined },
    });
    const common = { entity: "a", timeMs: 0 };
    for (const minute of [10, 11, 11, 12]) {
      pipeline.push({ ...common, source: "sky", values: { t: minute, for: minute * 60 } });
    }
    for (const minute of [0, 1, 2])
      pipeline.push({ ...common, source: "air", timeMs: minute * MINUTE_MS, values: { x: 0 } });
    pipeline.flush();
    expect(rows.map(({ features }) => features[1])).toEqual([10, 11, 12]);
    expect(counters.get("readings.duplicate")).toBe(1);
  });
});

describe("time", () => {
  test("a late reading is set aside when asked, and so is one of a clock that was never set", () => {
    // biome-ignore lint/suspicious/noThenProperty: the policy's own word; the value is never awaited.
    const { push, counters, quarantine } = guarded({ late: { then: "side", ancient: "365d" } });
    push(5, 1);
    push(3, 1);
    expect(quarantine.map(({ reason, timeMs }) => [reason, timeMs])).toEqual([["late", 3 * MINUTE_MS]]);
    expect(counters.get("readings.late")).toBe(1);
  });

  test("of a clock that jumps both ways nothing is believed that cannot be", () => {
    const task = taskOf({ sources: { air: { late: { future: "5m", ancient: "30d" } } } });
    const counters = new Counters();
    const rows: FeatureRow[] = [];
    const pipeline = createPipeline(task, {
      counters,
      sink: { features: (row) => void rows.push(row), example: () => undefined },
    });
    const nowMs = Date.UTC(2026, 5, 1);
    const times = [
      nowMs,
      0,
      nowMs + MINUTE_MS,
      nowMs + 3_600_000,
      nowMs - 86_400_000 * 40,
      nowMs + 2 * MINUTE_MS,
    ];
    for (const timeMs of times)
      pipeline.push({ source: "air", entity: "a", timeMs, values: { x: 1 } }, nowMs);
    expect(rows.map(({ timeMs }) => timeMs - nowMs)).toEqual([0, MINUTE_MS, 2 * MINUTE_MS]);
    expect(counters.toJSON()).toEqual({ "readings.ancient": 2, "readings.future": 1 });
  });
});
