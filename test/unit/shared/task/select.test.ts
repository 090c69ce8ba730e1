import { describe, expect, test } from "vitest";
import { parseTask, parseTaskSource } from "../../../../shared/task/parse.js";

const base = (model: string, split = "") => `task: t
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
${split}
${model}
`;
const two = "candidates: { wide: { model: { dense: [8] } }, small: { model: { dense: [2] } } }";
const taskOf = (model: string, split?: string) => parseTask(base(model, split)).task;

describe("candidates", () => {
  test("need no model of the task's own, and stand in the order of their names", () => {
    const { candidates, model, select } = taskOf(two);
    expect(Object.keys(candidates ?? {})).toEqual(["small", "wide"]);
    expect(model).toMatchObject({ hidden: [2] });
    expect(select).toEqual({
      ...{ rungs: [5, 15], eta: 3, metric: "rmse" },
      limits: { parameters: undefined, bytes: undefined, latencyMs: undefined },
    });
  });

  test("take what they leave out from the task, key by key", () => {
    const { candidates } = taskOf(`model: { dense: [4] }
train: { epochs: 3, optimizer: { sgd: 0.1 } }
candidates: { fast: { train: { optimizer: { adam: 0.01 } } }, deep: { model: { dense: [4, 4] } } }`);
    expect(candidates?.fast).toMatchObject({
      model: { hidden: [4] },
      train: { epochs: 3, batch: 32, optimizer: { kind: "adam" } },
    });
    expect(candidates?.deep).toMatchObject({ model: { hidden: [4, 4] }, train: { epochs: 3 } });
  });

  test("mean the same to devices, who get them in another order", () => {
    const written = parseTask(base(two));
    expect(parseTaskSource(written.source).taskHash).toBe(written.taskHash);
  });

  test("leave the hash of a task without them as it was", () => {
    const { task } = parseTask(base("model: { dense: [4] }"));
    expect(task).toMatchObject({ candidates: undefined, select: undefined });
    expect(parseTask(base("model: { dense: [4] }")).taskHash).not.toBe(parseTask(base(two)).taskHash);
  });

  test.each([
    ["candidates: { one: { model: { dense: [2] } } }", /expected at least 2 candidates/],
    ["candidates: { a: { model: { dense: [2] } }, b: {} }", /model: is missing: expected object/],
    ["model: { dense: [2] }\nselect: { eta: 2 }", /select: there are no candidates to select from/],
    [`${two}\nselect: { rungs: [5, 5] }`, /select.rungs: expected numbers of rounds that grow/],
    [`${two}\nselect: { metric: accuracy }`, /select.metric: accuracy does not fit a model for regression/],
    [
      "candidates: { a: { model: { dense: [2] } }, b: { model: { dense: [2], output: binary } } }",
      /candidates.b.model: a model for another kind of answer/,
    ],
    [
      "candidates: { a: { model: { dense: [2] } }, b: { model: { dense: [2], output: { regression: { loss: huber } } } } }\nselect: { metric: loss }",
      /select.metric: the candidates' losses are not the same/,
    ],
  ])("%s is refused", (yaml, message) => {
    expect(() => taskOf(yaml)).toThrow(message);
  });

  test("cannot be compared without held-out rows", () => {
    const split = "rows: { split: { validation: 0% } }";
    expect(() => taskOf(two, split)).toThrow(/candidates: rows.split.validation is 0%/);
  });
});
