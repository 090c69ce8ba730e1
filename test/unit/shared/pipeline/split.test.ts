import { describe, expect, test } from "vitest";
import { splitOf } from "../../../../shared/pipeline/split.js";
import type { SplitSpec } from "../../../../shared/task/task.js";

const DAY_MS = 86_400_000;

const byTime: SplitSpec = {
  test: { kind: "from", fromMs: 100 * DAY_MS },
  validation: { share: 0.25, by: "time", blockMs: 10 * DAY_MS },
  gapMs: DAY_MS,
};

function sideAt(spec: SplitSpec, days: number, untilDays = days, entity = "a") {
  const timeMs = days * DAY_MS;
  return splitOf(spec, { entity, timeMs, untilMs: untilDays * DAY_MS, sessionMs: timeMs, test: false });
}

describe("split", () => {
  test("every fourth block validates, the rest trains, and train keeps its distance on both sides", () => {
    // Blocks of ten days: 0-2 train, 3 validates, 4-6 train, 7 validates; so did the one before 1970.
    expect([1, 28.9, 29, 29.1, 30, 39.9, 40, 40.9, 41].map((day) => sideAt(byTime, day))).toEqual([
      "train",
      "train",
      "train",
      "gap",
      "validation",
      "validation",
      "gap",
      "gap",
      "train",
    ]);
  });

  test("both other sides keep their distance to the test set, which keeps all its rows", () => {
    expect([98.9, 99, 99.1, 100, 100.1].map((day) => sideAt(byTime, day))).toEqual([
      "train",
      "train",
      "gap",
      "test",
      "test",
    ]);
    const border = { ...byTime, test: { kind: "from", fromMs: 80 * DAY_MS } } as const;
    expect([78.9, 79.5].map((day) => sideAt(border, day))).toEqual(["validation", "gap"]);
  });

  test("no label lies on another side, however far it looks ahead", () => {
    expect(sideAt(byTime, 20, 29.9)).toBe("train");
    expect(sideAt(byTime, 20, 30)).toBe("gap");
    expect(sideAt(byTime, 35, 40.9)).toBe("validation");
    expect(sideAt(byTime, 35, 41)).toBe("gap");
    expect(sideAt(byTime, 90, 100)).toBe("gap");
  });

  test("a whole entity goes to one side", () => {
    const spec: SplitSpec = {
      test: { kind: "none" },
      validation: { share: 0.3, by: "entity", blockMs: DAY_MS },
      gapMs: 0,
    };
    const entities = Array.from({ length: 1_000 }, (_, i) => `engine-${i}`);
    for (const entity of entities.slice(0, 20)) {
      expect(sideAt(spec, 1, 1, entity)).toBe(sideAt(spec, 77, 77, entity));
    }
    const drawn = entities.filter((entity) => sideAt(spec, 0, 0, entity) === "validation").length;
    // 300 expected, standard deviation 14.5: five of them on either side.
    expect(Math.abs(drawn - 300)).toBeLessThan(73);
  });

  test("single examples are drawn in the wanted share", () => {
    const spec: SplitSpec = {
      test: { kind: "none" },
      validation: { share: 0.1, by: "example", blockMs: DAY_MS },
      gapMs: 0,
    };
    for (const stepMs of [1, 1_000, 3_600_000]) {
      let drawn = 0;
      for (let i = 0; i < 20_000; i++) {
        if (sideAt(spec, (i * stepMs) / DAY_MS) === "validation") drawn += 1;
      }
      // 2,000 expected, standard deviation 42: five of them on either side.
      expect(Math.abs(drawn - 2_000)).toBeLessThan(212);
    }
  });

  test("what the data calls test is test under any rule", () => {
    expect(splitOf(byTime, { entity: "a", timeMs: 0, untilMs: 0, sessionMs: 0, test: true })).toBe("test");
  });

  test("the last share of every block is for test, and the rest keeps its distance", () => {
    const spec: SplitSpec = {
      test: { kind: "last", share: 0.2, blockMs: 10 * DAY_MS },
      validation: { share: 0, by: "time", blockMs: DAY_MS },
      gapMs: DAY_MS,
    };
    expect([0.9, 1, 7, 7.1, 8, 9.9, 10, 10.9, 11, 18].map((day) => sideAt(spec, day))).toEqual([
      ...["gap", "train", "train", "gap", "test", "test", "gap", "gap", "train", "test"],
    ]);
    expect([7, 8].map((until) => sideAt(spec, 6, until))).toEqual(["train", "gap"]);
    expect([10.9, 11].map((until) => sideAt(spec, 9, until))).toEqual(["test", "gap"]);
  });

  test("test entities and validation entities are drawn apart", () => {
    const spec: SplitSpec = {
      test: { kind: "entity", share: 0.2 },
      validation: { share: 0.2, by: "entity", blockMs: DAY_MS },
      gapMs: 0,
    };
    const sides = Array.from({ length: 10_000 }, (_, i) => sideAt(spec, 1, 1, `engine-${i}`));
    // 2,000 and 1,600 expected, standard deviations of 40 and 37: five of them on either side.
    expect(Math.abs(sides.filter((side) => side === "test").length - 2_000)).toBeLessThan(200);
    expect(Math.abs(sides.filter((side) => side === "validation").length - 1_600)).toBeLessThan(185);
  });
});
