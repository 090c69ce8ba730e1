import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { planPipeline } from "../../../../shared/pipeline/plan.js";
import { parseTask, parseTaskSource } from "../../../../shared/task/parse.js";

const examples = new URL("../../../../examples/", import.meta.url);
const files = readdirSync(examples, { recursive: true, encoding: "utf8" }).filter(
  // The config of a device is no task.
  (path) => path.endsWith(".yaml") && !path.endsWith("device.yaml"),
);

function load(path: string) {
  return parseTask(readFileSync(new URL(path, examples), "utf8"));
}

describe("the examples", () => {
  test.each(files)("%s is a valid task", (path) => {
    expect(load(path).task.task).toMatch(/^[a-z]/);
  });

  test.each(files)("%s has the same hash after a journey as canonical JSON", (path) => {
    const { source, ...loaded } = load(path);
    const { taskHash, pipelineHash } = parseTaskSource(source);
    expect({ taskHash, pipelineHash }).toEqual({
      taskHash: loaded.taskHash,
      pipelineHash: loaded.pipelineHash,
    });
  });

  test("have a name each", () => {
    const names = files.map((path) => load(path).task.task);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    ["air-quality/task.yaml", 19],
    ["turbofan/task.yaml", 420],
    ["occupancy/task.yaml", 4],
    ["occupancy/skewed.yaml", 4],
    ["mnist/task.yaml", 784],
    ["mnist/shards.yaml", 784],
  ])("%s has the published number of inputs: %d", (path, columns) => {
    expect(planPipeline(load(path).task).columns).toHaveLength(columns);
  });
});
