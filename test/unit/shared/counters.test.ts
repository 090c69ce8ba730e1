import { expect, test } from "vitest";
import { Counters } from "../../../shared/counters.js";

test("equal counts print equal text, whatever the order they were counted in", () => {
  const first = new Counters();
  first.add("late", 2);
  first.add("missing");
  const second = new Counters();
  second.add("missing");
  second.add("late");
  second.add("late");
  expect(JSON.stringify(first)).toBe(JSON.stringify(second));
  expect(first.get("late")).toBe(2);
  expect(first.get("never")).toBe(0);
});
