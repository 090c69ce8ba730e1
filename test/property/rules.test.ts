// Laws of alarms, for any values at any times.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Alarm, type AlarmEvent, type AlarmState, decide, resume } from "../../device/rules/decide.js";
import { createSideReader } from "../../device/rules/level.js";
import type { Hold, Rule } from "../../device/rules/rule.js";
import { RuleWatch } from "../../device/rules/watch.js";
import { Counters } from "../../shared/counters.js";
import { ruleOf } from "../support/rule.js";

const RUNS = { numRuns: 1000 } as const;

interface Value {
  readonly timeMs: number;
  readonly value: number;
}

const hold: fc.Arbitrary<Hold> = fc.oneof(
  fc.integer({ min: 1, max: 30 }).map((ms) => ({ kind: "time", ms }) as const),
  fc.integer({ min: 1, max: 4 }).map((rows) => ({ kind: "rows", rows }) as const),
);

/** The line at 80, cleared at 75 or below; between 60 and 80; or outside of 60 and 80. */
const lines = fc.constantFrom(
  { above: 80, below: undefined, hysteresis: 5 },
  { above: undefined, below: 60, hysteresis: 5 },
  { above: 60, below: 80, hysteresis: 5 },
  { above: 80, below: 60, hysteresis: 5 },
);

const rules = fc
  .record({
    raiseAfter: hold,
    clearAfter: hold,
    staleMs: fc.option(fc.integer({ min: 5, max: 40 }), { nil: undefined }),
  })
  .chain((timing) => lines.map((line) => ruleOf({ ...timing, ...line })));

/** Rising times, values on every side of every line. */
const series: fc.Arbitrary<readonly Value[]> = fc
  .array(
    fc.record({
      gapMs: fc.integer({ min: 1, max: 20 }),
      value: fc.constantFrom(50, 58, 62, 70, 76, 78, 82, 90),
    }),
    {
      maxLength: 40,
    },
  )
  .map((steps) => {
    let timeMs = 0;
    return steps.map(({ gapMs, value }) => {
      timeMs += gapMs;
      return { timeMs, value };
    });
  });

function valueEvent(rule: Rule, { timeMs, value }: Value): AlarmEvent {
  return { type: "value", timeMs, value, side: createSideReader(rule)(value) };
}

function run(rule: Rule, events: readonly AlarmEvent[], start?: AlarmState) {
  let state = start;
  const changes: Alarm[] = [];
  for (const event of events) {
    const decision = decide(state, event, rule);
    state = decision.state;
    changes.push(...decision.changes);
  }
  return { state, changes };
}

function changesOf(rule: Rule, values: readonly Value[]): readonly Alarm[] {
  return run(
    rule,
    values.map((value) => valueEvent(rule, value)),
  ).changes;
}

describe("an alarm", () => {
  test("never says the same twice: between two raises it was cleared or unknown", () => {
    fc.assert(
      fc.property(rules, series, (rule, values) => {
        const said = changesOf(rule, values).map(({ status }) => status);
        expect(said.filter((status, i) => status === said[i - 1])).toEqual([]);
      }),
      RUNS,
    );
  });

  test("is not moved by noise within the band", () => {
    const inBand = fc.double({ min: 75.001, max: 80, noNaN: true });
    const first = fc.constantFrom(70, 90);
    fc.assert(
      fc.property(first, fc.array(inBand, { maxLength: 50 }), (value, noise) => {
        const values = [value, ...noise].map((value, timeMs) => ({ timeMs, value }));
        expect(changesOf(ruleOf({ hysteresis: 5 }), values)).toHaveLength(1);
      }),
      RUNS,
    );
  });

  test("is raised by values that ask for it for long enough in event time, and at the first that makes it long enough", () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 60 }), (values, ms) => {
        const rule = ruleOf({ raiseAfter: { kind: "time", ms }, clearAfter: { kind: "time", ms: 1e9 } });
        const raised = changesOf(rule, values).find(({ status }) => status === "raised");
        expect(raised).toEqual(firstStretch(values, ms));
      }),
      RUNS,
    );
  });

  test("is raised by so many rows in a row", () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 5 }), (values, rows) => {
        const rule = ruleOf({ raiseAfter: { kind: "rows", rows }, clearAfter: { kind: "rows", rows: 100 } });
        const at = values.findIndex(
          (_, i) => i + 1 >= rows && values.slice(i + 1 - rows, i + 1).every(({ value }) => value > 80),
        );
        const raised = changesOf(rule, values).find(({ status }) => status === "raised");
        expect(raised?.timeMs).toBe(values[at]?.timeMs);
      }),
      RUNS,
    );
  });

  test("does not depend on how often event time was looked at", () => {
    fc.assert(
      fc.property(rules, series, fc.array(fc.integer({ min: 0, max: 1000 })), (rule, values, looks) => {
        const events = values.map((value) => valueEvent(rule, value));
        const endMs = Math.max(0, ...values.map(({ timeMs }) => timeMs));
        const passed = looks
          .filter((timeMs) => timeMs <= endMs)
          .map((timeMs) => ({ type: "passed", timeMs }) as const);
        const mixed = [...events, ...passed].toSorted((a, b) => a.timeMs - b.timeMs);
        expect(run(rule, mixed).changes).toEqual(run(rule, events).changes);
      }),
      RUNS,
    );
  });

  test("is unknown exactly when it was silent for longer than `stale`", () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 25 }), (values, staleMs) => {
        const unknown = changesOf(ruleOf({ staleMs }), values).filter(({ status }) => status === "unknown");
        const gaps = values.filter(({ timeMs }, i) => timeMs - (values[i - 1]?.timeMs ?? timeMs) > staleMs);
        expect(unknown).toHaveLength(gaps.length);
      }),
      RUNS,
    );
  });
});

describe("a restart", () => {
  test("changes nothing that is said, wherever it happens and however much is replayed", () => {
    fc.assert(
      fc.property(lines, series, fc.nat(40), fc.nat(40), (line, values, died, replayed) => {
        const rule = ruleOf(line);
        const at = Math.min(died, values.length);
        const from = Math.max(0, at - replayed);
        const whole = news(changesOf(rule, values));
        const before = news(changesOf(rule, values.slice(0, at)));
        const last = before.at(-1);
        const kept = last && last.status !== "unknown" ? resume(last, last.status) : undefined;
        const events = values.slice(from).map((value) => valueEvent(rule, value));
        const { changes } = run(rule, events, kept);
        expect([...before, ...(kept === undefined ? news(changes) : changes)]).toEqual(whole);
      }),
      RUNS,
    );
  });

  test("never raises an alarm again that is raised, whatever the rule", () => {
    fc.assert(
      fc.property(rules, series, (rule, values) => {
        const alarm = { status: "raised", timeMs: 0, sinceMs: 0, value: 90 } as const;
        const events = values.map((value) => valueEvent(rule, value));
        const { changes } = run(rule, events, resume(alarm, "raised"));
        expect(changes[0]?.status).not.toBe("raised");
      }),
      RUNS,
    );
  });
});

test("an entity's alarm depends on its own values only, however entities are interleaved", () => {
  fc.assert(
    fc.property(
      rules,
      fc.array(series, { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat()),
      (rule, all, picks) => {
        const said = new Map<string, Alarm[]>();
        const watch = new RuleWatch({
          ...{ rule, entitiesMax: 10, counters: new Counters(), onForgotten: () => undefined },
          onChange: ({ entity, alarm }) => said.set(entity, [...(said.get(entity) ?? []), alarm]),
        });
        const left = all.map((values) => [...values]);
        for (let open = waiting(left); open.length > 0; open = waiting(left)) {
          const entity = open[Number(picks.next().value) % open.length]!;
          const { timeMs, value } = left[entity]!.shift()!;
          watch.value(String(entity), timeMs, value);
        }
        all.forEach((values, entity) => {
          expect(said.get(String(entity)) ?? []).toEqual(changesOf(rule, values));
        });
      },
    ),
    RUNS,
  );
});

function waiting(left: readonly (readonly Value[])[]): readonly number[] {
  return left.flatMap((values, entity) => (values.length > 0 ? [entity] : []));
}

/** A first clear is only how an alarm is born. */
function news(changes: readonly Alarm[]): readonly Alarm[] {
  return changes[0]?.status === "cleared" ? changes.slice(1) : changes;
}

/** The first value at which all since some value `ms` earlier or more were above 80, with the start of that stretch. */
function firstStretch(values: readonly Value[], ms: number): Alarm | undefined {
  let sinceMs: number | undefined;
  for (const { timeMs, value } of values) {
    sinceMs = value > 80 ? (sinceMs ?? timeMs) : undefined;
    if (sinceMs !== undefined && timeMs - sinceMs >= ms) return { status: "raised", timeMs, sinceMs, value };
  }
  return undefined;
}
