import { expect, test } from "vitest";
import { Course } from "../../../../simulator/loop/course.js";

const HOUR_MS = 3_600_000;

test("a metric over any span of event time is that of the rows in it", () => {
  const course = new Course("accuracy", { kind: "binary" });
  for (let hour = 0; hour < 4; hour++) {
    course.add(hour * HOUR_MS, 1, hour < 2 ? 1 : 0);
    course.add(hour * HOUR_MS + 60_000, 0, 0);
  }
  expect(course.over({ fromMs: 0, untilMs: 2 * HOUR_MS })).toBe(1);
  expect(course.over({ fromMs: 2 * HOUR_MS, untilMs: 4 * HOUR_MS })).toBe(0.5);
  expect(course.over({ fromMs: 9 * HOUR_MS, untilMs: 10 * HOUR_MS })).toBeNull();
  expect(course.curve(2 * HOUR_MS)).toEqual([
    { fromMs: 0, value: 1, rows: 4 },
    { fromMs: 2 * HOUR_MS, value: 0.5, rows: 4 },
  ]);
});

test("an error is in the label's own unit, and what is no number is left out", () => {
  const course = new Course("rmse", { kind: "regression", loss: "meanSquaredError" });
  course.add(0, 5, 2);
  course.add(0, 1, 5);
  course.add(0, Number.NaN, 5);
  expect(course.over({ fromMs: 0, untilMs: 1 })).toBeCloseTo(Math.sqrt(12.5), 12);
});
