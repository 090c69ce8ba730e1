import { describe, expect, test } from "vitest";
import { findUnsupported, seedTopology } from "../../../../shared/model/topology.js";
import type { JsonObject, JsonValue } from "../../../../shared/task/task.js";

function sequential(...layers: readonly JsonObject[]): JsonObject {
  return { class_name: "Sequential", config: { name: "model", layers } };
}

function layer(className: string, config: JsonObject): JsonObject {
  return { class_name: className, config: { name: "it", ...config } };
}

describe("findUnsupported", () => {
  test.each<[string, JsonObject, string]>([
    ["Dropout", { rate: 0.5 }, "random"],
    ["GRU", { dropout: 0.1 }, "dropout"],
    ["GRU", { reset_after: true }, "reset_after"],
    ["LSTM", { stateful: true }, "stateful"],
    ["ThresholdedReLU", {}, "no gradient"],
    ["Conv1D", { padding: "causal" }, "causal"],
    ["Conv1D", { dilation_rate: [2] }, "dilated"],
  ])("%s %o is refused on every engine, named, with the reason", (className, config, reason) => {
    const [problem, ...others] = findUnsupported(sequential(layer(className, config)));
    expect(problem).toContain(`"it" (${className})`);
    expect(problem).toContain(reason);
    expect(others).toEqual([]);
  });

  test("a convolution is not refused", () => {
    const topology = sequential(layer("Conv2D", { dilation_rate: [1, 1], padding: "same" }));
    expect(findUnsupported(topology)).toEqual([]);
  });

  test("layers are found inside wrappers", () => {
    const wrapped = layer("TimeDistributed", { layer: layer("Dropout", { rate: 0.5, name: "inner" }) });
    expect(findUnsupported(sequential(wrapped))[0]).toContain('"inner" (Dropout)');
  });
});

describe("seedTopology", () => {
  const random = { class_name: "VarianceScaling", config: { scale: 1, seed: null } };
  const topology = sequential(
    layer("GRU", { kernel_initializer: random, recurrent_initializer: random }),
    layer("Dense", { kernel_initializer: random, bias_initializer: { class_name: "Zeros", config: {} } }),
  );

  test("every random initializer has a seed of its own, never 0, the same for the same name", () => {
    const seeds = seedsIn(seedTopology(topology, "a"));
    expect(seeds).toHaveLength(3);
    expect(new Set(seeds).size).toBe(3);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 1)).toBe(true);
    expect(seedsIn(seedTopology(topology, "a"))).toEqual(seeds);
    expect(seedsIn(seedTopology(topology, "b"))).not.toEqual(seeds);
  });

  test("all else stays as it was", () => {
    const without = JSON.stringify(topology).replaceAll(/"seed":null/g, '"seed":1');
    expect(JSON.stringify(seedTopology(topology, "a")).replaceAll(/"seed":\d+/g, '"seed":1')).toBe(without);
  });
});

function seedsIn(value: JsonValue): number[] {
  return [...JSON.stringify(value).matchAll(/"seed":(\d+)/g)].map((match) => Number(match[1]));
}
