import { describe, expect, test } from "vitest";
import { rulesSchema } from "../../../../device/rules/schema.js";
import { describeIssue, problemsOf } from "../../../../shared/task/problem.js";

const publish = { broker: "mqtt://localhost" };

function problems(rule: Readonly<Record<string, unknown>>): readonly string[] {
  const value = { hot: { of: "temp", publish, ...rule } };
  const parsed = rulesSchema.safeParse(value, { error: describeIssue });
  if (parsed.success) return [];
  return problemsOf(parsed.error, value).map(({ path, message }) => `${path.slice(1).join(".")}: ${message}`);
}

test("a rule needs a quantity, a line and a broker; the rest has defaults", () => {
  expect(rulesSchema.parse({ hot: { of: "temp", above: 80, publish } })).toEqual([
    {
      ...{ name: "hot", of: "temp", above: 80, below: undefined, hysteresis: 0 },
      raiseAfter: { kind: "rows", rows: 1 },
      clearAfter: { kind: "rows", rows: 1 },
      ...{ staleMs: undefined, entities: undefined },
      publish: {
        endpoint: { url: "mqtt://localhost" },
        topic: "headwater/{device}/alarm/{rule}/{entity}",
        ...{ retain: false, payload: "json", perMinute: 60 },
      },
    },
  ]);
});

test("everything can be said", () => {
  const [rule] = rulesSchema.parse({
    hot: {
      ...{
        of: "prediction.probability",
        above: 0.9,
        hysteresis: 0.1,
        for: "30s",
        clearFor: { rows: 3 },
        stale: "10m",
      },
      entity: "pump-*",
      publish: {
        ...publish,
        username: "me",
        password: "secret",
        topic: "a/{rule}",
        retain: true,
        payload: "onoff",
      },
    },
  });
  expect(rule).toMatchObject({
    raiseAfter: { kind: "time", ms: 30_000 },
    clearAfter: { kind: "rows", rows: 3 },
    ...{ staleMs: 600_000, entities: ["pump-*"] },
    publish: { endpoint: { username: "me", password: "secret" }, topic: "a/{rule}", payload: "onoff" },
  });
});

describe("what is wrong is named", () => {
  test.each([
    [{}, /expected "above", "below" or both/],
    [{ abov: 80 }, /abov.*did you mean "above"/],
    [{ above: "80" }, /above: expected number/],
    [{ above: 8, below: 8 }, /below: expected another number than above/],
    [{ above: 8, below: 2, hysteresis: 4 }, /hysteresis: .*would never clear/],
    [{ above: 80, for: 30 }, /for: expected a duration such as 30s, or \{rows: 3\}/],
    [{ above: 80, for: { rows: 0 } }, /for/],
    [{ above: 80, stale: "soon" }, /stale: expected a duration/],
    [{ above: 80, entity: [] }, /entity: expected the name of an entity/],
    [{ above: 80, publish: { broker: "localhost" } }, /publish\.broker: expected mqtt:\/\//],
    [{ above: 80, publish: { ...publish, topic: "a/#" } }, /publish\.topic: expected a topic; \{device\}/],
    [
      { above: 80, publish: { ...publish, topic: "a/{entitty}" } },
      /publish\.topic: expected a topic; \{device\}/,
    ],
    [{ above: 80, publish: { ...publish, payload: "xml" } }, /publish\.payload: expected "json" or "onoff"/],
    [{ above: 80, publish: { ...publish, perMinute: 0 } }, /publish\.perMinute: expected at least 1/],
  ])("%j", (rule, message) => {
    expect(problems(rule).join("\n")).toMatch(message);
  });
});
