// Steps about whole rows: rename, select, throttle, dedupe.

import { describe, expect, test } from "vitest";
import type { PipelineRow } from "../../../../../shared/pipeline/types.js";
import { numbers, row, stepOf } from "../../../../support/pipeline.js";

const namesOf = ({ output }: ReturnType<typeof stepOf>) => output.fields.map(({ name }) => name);

function timesOf(name: string, written: unknown, rows: readonly PipelineRow[]) {
  const step = stepOf(name, written, numbers("x", "y"));
  for (const each of rows) step.instance.push(each);
  return { times: step.rows.map(({ timeMs }) => timeMs), counts: step.counters.toJSON() };
}

describe("rename", () => {
  test("gives fields other names, new name first; two may change places", () => {
    const step = stepOf("rename", { x: "y", y: "x" }, numbers("x", "y", "z"));
    expect(namesOf(step)).toEqual(["y", "x", "z"]);
    step.instance.push(row(1, 1, 2, 3));
    expect(step.rows).toEqual([row(1, 1, 2, 3)]);
  });

  test("a name that stays taken is refused", () => {
    expect(() => stepOf("rename", { y: "x" }, numbers("x", "y"))).toThrow('a field "y" is there already');
    expect(() => stepOf("rename", { z: "w" }, numbers("x", "y"))).toThrow('no field is called "w" here');
    expect(() => stepOf("rename", { a: "x", b: "x" }, numbers("x"))).toThrow("expected each field once");
  });
});

describe("select", () => {
  test("lets only its fields pass, with their marks", () => {
    const step = stepOf("select", ["z", "x"], numbers("x", "y", "z"));
    expect(namesOf(step)).toEqual(["z", "x"]);
    step.instance.push({ ...row(1, 1, 2, 3), filled: [false, false, true] });
    expect(step.rows).toEqual([{ ...row(1, 3, 1), filled: [true, false] }]);
  });
});

describe("throttle", () => {
  const rows = [0, 4, 9, 10, 19, 25, 30].map((timeMs) => row(timeMs, 1, 1));

  test("by time, a row passes once `every` has gone by since the last that passed", () => {
    expect(timesOf("throttle", { every: "10ms" }, rows)).toEqual({
      times: [0, 10, 25],
      counts: { "throttle.skipped": 4 },
    });
  });

  test("by rows, every n-th passes", () => {
    expect(timesOf("throttle", { rows: 3 }, rows).times).toEqual([0, 10, 30]);
  });
});

describe("dedupe", () => {
  test("drops rows whose fields are as they were, until they changed or `within` is over", () => {
    const rows = [
      row(0, 1, 5),
      row(4, 1, 6),
      row(9, null, 6),
      row(10, null, 6),
      row(19, null, 6),
      row(20, 1, 6),
    ];
    expect(timesOf("dedupe", { of: "x", within: "10ms" }, rows)).toEqual({
      times: [0, 9, 19, 20],
      counts: { "dedupe.unchanged": 2 },
    });
    expect(timesOf("dedupe", { of: ["x", "y"], within: "10ms" }, rows).times).toEqual([0, 4, 9, 19, 20]);
  });
});
