import { expect, test } from "vitest";
import type { Prediction } from "../../../../device/fact.js";
import { findQuantity } from "../../../../device/rules/quantity.js";

const prediction: Prediction = {
  ...{ id: "p", entity: "a", timeMs: 0, version: 1 },
  ...{ value: 3.5, probability: null, anomaly: 1 },
};
const task = { columns: ["temp"], hasProbability: false, hasAnomaly: true };

test("a rule may be about whether a row is an anomaly", () => {
  const found = findQuantity("prediction.anomaly", task);
  expect(found.from === "prediction" && found.read(prediction)).toBe(1);
  expect(found.from === "prediction" && found.read({ ...prediction, anomaly: null })).toBeNull();
});

test("where nothing is called an anomaly, and where a name is wrong, it says so", () => {
  expect(findQuantity("prediction.anomaly", { ...task, hasAnomaly: false })).toEqual({
    from: "nowhere",
    why: "this task has no threshold to call anything an anomaly",
  });
  expect(findQuantity("prediction.anomoly", task)).toEqual({
    from: "nowhere",
    why: 'the task has no column "prediction.anomoly"; did you mean "prediction.anomaly"?',
  });
});
