import { describe, expect, test } from "vitest";
import { passesGate } from "../../../../server/model/gate.js";

const rmse = { metric: "rmse", maxRegression: 0.02 } as const;
const accuracy = { metric: "accuracy", maxRegression: 0.02 } as const;

describe("the gate", () => {
  test("lets through what is hardly worse, in the metric's own direction", () => {
    expect(passesGate({ value: 10.2, reference: 10 }, rmse)).toBe(true);
    expect(passesGate({ value: 10.3, reference: 10 }, rmse)).toBe(false);
    expect(passesGate({ value: 1, reference: 10 }, rmse)).toBe(true);
    expect(passesGate({ value: 0.89, reference: 0.9 }, accuracy)).toBe(true);
    expect(passesGate({ value: 0.88, reference: 0.9 }, accuracy)).toBe(false);
  });

  test("lets the first candidate with a value through, and none without", () => {
    expect(passesGate({ value: 99, reference: undefined }, rmse)).toBe(true);
    expect(passesGate({ value: undefined, reference: undefined }, rmse)).toBe(false);
    expect(passesGate({ value: undefined, reference: 1 }, rmse)).toBe(false);
  });
});
