import { describe, expect, test } from "vitest";
import { createSideReader, nearestLine } from "../../../../device/rules/level.js";
import { ruleOf } from "../../../support/rule.js";

describe("sides", () => {
  test.each([
    ["above", { above: 80, hysteresis: 5 }, { 80.1: "raising", 80: "band", 75.1: "band", 75: "clearing" }],
    ["below", { above: undefined, below: 5, hysteresis: 1 }, { 4.9: "raising", 5: "band", 6: "clearing" }],
    [
      "between",
      { above: 2, below: 8, hysteresis: 1 },
      { 1: "clearing", 2: "band", 3: "raising", 8: "band", 9: "clearing" },
    ],
    [
      "outside",
      { above: 8, below: 2, hysteresis: 1 },
      { 1: "raising", 2: "band", 5: "clearing", 7.5: "band", 8: "band", 9: "raising" },
    ],
  ])("%s", (_name, changes, expected) => {
    const sideOf = createSideReader(ruleOf(changes));
    for (const [value, side] of Object.entries(expected))
      expect([value, sideOf(Number(value))]).toEqual([value, side]);
  });

  test("are told by float32, as features are: what was 0.1 at the sensor is not above 0.1", () => {
    const sideOf = createSideReader(ruleOf({ above: 0.1 }));
    const [feature] = Float32Array.of(0.1);
    expect(feature).toBeGreaterThan(0.1);
    expect(sideOf(feature!)).toBe("clearing");
  });
});

test("the threshold that is told is the line next to the value", () => {
  expect(nearestLine(ruleOf({ above: 80 }), 20)).toBe(80);
  expect(nearestLine(ruleOf({ above: undefined, below: 5 }), 20)).toBe(5);
  expect(nearestLine(ruleOf({ above: 80, below: 5 }), 1)).toBe(5);
});
