import { expect, test } from "vitest";
import { RuleWatch } from "../../../../device/rules/watch.js";
import { Counters } from "../../../../shared/counters.js";
import { ruleOf } from "../../../support/rule.js";

function setUp(changes: Parameters<typeof ruleOf>[0] = {}, entitiesMax = 10) {
  const said: string[] = [];
  const forgotten: string[] = [];
  const counters = new Counters();
  const watch = new RuleWatch({
    ...{ rule: ruleOf(changes), entitiesMax, counters },
    onChange: ({ entity, alarm, isFirst }) =>
      said.push(`${entity} ${alarm.status}${isFirst ? " (first)" : ""}`),
    onForgotten: (entity) => forgotten.push(entity),
  });
  return { watch, said, forgotten, counters };
}

test("beyond its bound the entity silent for longest is forgotten, and its raised alarm unknown", () => {
  const { watch, said, forgotten, counters } = setUp({}, 2);
  watch.value("a", 1, 90);
  watch.value("b", 2, 90);
  watch.value("a", 3, 91);
  watch.value("c", 4, 10);
  expect(said).toEqual(["a raised", "b raised", "b unknown", "c cleared (first)"]);
  expect(forgotten).toEqual(["b"]);
  expect([...watch.states.keys()]).toEqual(["a", "c"]);
  expect(counters.get("rules.entities-forgotten")).toBe(1);
});

test("only the entities named are watched", () => {
  const { watch, said } = setUp({ entities: ["pump-*", "fan.1"] });
  for (const entity of ["pump-1", "old-pump-1", "fan.1", "fan-1"]) watch.value(entity, 1, 90);
  expect(said).toEqual(["pump-1 raised", "fan.1 raised"]);
});

test("a value that is no number, or older than the newest, is counted and changes nothing", () => {
  const { watch, said, counters } = setUp();
  watch.value("a", 5, 90);
  watch.value("a", 6, Number.NaN);
  watch.value("a", 5, 10);
  watch.value("a", 4, 10);
  expect(said).toEqual(["a raised"]);
  expect(counters.toJSON()).toEqual({ "rules.not-finite": 1, "rules.old-value": 2 });
});

test("silence makes every alarm unknown, and the next value tells what it is", () => {
  const { watch, said } = setUp({ staleMs: 1000, hysteresis: 5 });
  watch.value("a", 0, 90);
  watch.value("b", 500, 10);
  watch.passed(1000);
  expect(said).toEqual(["a raised", "b cleared (first)"]);
  watch.passed(1001);
  watch.passed(5000);
  expect(said.slice(2)).toEqual(["a unknown", "b unknown"]);
  watch.value("a", 6000, 77);
  watch.value("b", 6000, 77);
  expect(said.slice(4)).toEqual(["a raised", "b cleared"]);
});
