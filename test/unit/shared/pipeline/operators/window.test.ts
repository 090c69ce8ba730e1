import { describe, expect, test } from "vitest";
import { numbers, row, stepOf } from "../../../../support/pipeline.js";

describe("window", () => {
  test("a tumbling window's row is named by its start and holds its statistics", () => {
    const { instance, output, rows } = stepOf(
      "window",
      { over: "10ms", get: { x: ["mean", "std", "min", "max", "count", "last"] } },
      numbers("y", "x"),
    );
    expect(output.fields.map(({ name }) => name)).toEqual([
      "x.mean",
      "x.std",
      "x.min",
      "x.max",
      "x.count",
      "x.last",
    ]);
    instance.push(row(11, 0, 1));
    instance.push(row(13, 0, null));
    instance.push(row(19, 0, 3));
    expect(instance.advance(19)).toBe(10);
    expect(rows).toEqual([]);
    expect(instance.advance(20)).toBe(20);
    expect(rows).toEqual([row(10, 2, 1, 1, 3, 2, 3)]);
  });

  test("hopping windows overlap, each with the rows of its own stretch", () => {
    const { instance, rows } = stepOf(
      "window",
      { over: "20ms", every: "10ms", get: { x: ["min", "max"] } },
      numbers("x"),
    );
    for (const timeMs of [10, 25, 31]) instance.push(row(timeMs, timeMs));
    instance.flush();
    expect(rows).toEqual([row(0, 10, 10), row(10, 10, 25), row(20, 25, 31), row(30, 31, 31)]);
  });

  test("windows without rows give none; one without values gives a count of 0", () => {
    const { instance, rows } = stepOf(
      "window",
      { over: "10ms", get: { x: ["mean", "count"] } },
      numbers("x"),
    );
    instance.push(row(0, null));
    instance.push(row(55, 1));
    instance.flush();
    expect(rows).toEqual([row(0, null, 0), row(50, 1, 1)]);
  });

  test("windows of rows close with their last row and are named by their first", () => {
    const { instance, rows, counters } = stepOf(
      "window",
      { rows: 3, every: 2, get: { x: ["mean"] } },
      numbers("x"),
    );
    for (const timeMs of [1, 5, 6, 7, 20, 21]) instance.push(row(timeMs, timeMs));
    expect(rows).toEqual([row(1, 4), row(6, 11)]);
    expect(instance.advance(22)).toBe(20);
    instance.flush();
    expect(rows).toHaveLength(2);
    expect(counters.toJSON()).toEqual({ "window.incomplete": 1 });
  });

  test("gaps between windows and endless overlap are refused", () => {
    const written = (more: object) => () => stepOf("window", { get: { x: ["mean"] }, ...more }, numbers("x"));
    expect(written({ over: "10ms", every: "11ms" })).toThrow("at most the window's length");
    expect(written({ over: "1h", every: "1ms" })).toThrow("open at once");
    expect(written({ over: "1h", rows: 3 })).toThrow("exactly one");
    expect(written({})).toThrow("exactly one");
    expect(written({ over: "1h", every: 3 })).toThrow();
  });
});
