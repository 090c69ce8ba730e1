// What every operator of the vocabulary must do, tried with the example it shows in the docs.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counters } from "../../shared/counters.js";
import type { Input, OperatorExample } from "../../shared/pipeline/operators/port.js";
import { featureOperators, stepOperators } from "../../shared/pipeline/operators/registry.js";
import { decodeState, encodeState, type Saved, type Stateful } from "../../shared/pipeline/state.js";
import type { PipelineRow, Value } from "../../shared/pipeline/types.js";
import { canonicalJson } from "../../shared/task/canonical.js";

const MINUTE_MS = 60_000;

/** What the example reads, as rows bring it. */
function inputOf(names: readonly string[], { vectors = {} }: OperatorExample): Input {
  // One field at least: an operator that reads none still sees rows.
  const fields = (names.length > 0 ? names : ["x"]).map((name) => ({ name, length: vectors[name] ?? 1 }));
  return { fields, spacingMs: undefined };
}

/** A drawn value: a few distinct ones so that equal neighbours occur, with gaps. */
const drawnValue = fc.option(fc.integer({ min: -3, max: 40 }), { freq: 6 });

/** Rows in rising event time: now close together, now hours apart. */
function rowsOf({ fields }: Input): fc.Arbitrary<readonly PipelineRow[]> {
  const drawn = fc.record({
    stepMs: fc.oneof(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 10, max: 90 }).map((m) => m * MINUTE_MS),
    ),
    values: fc.array(drawnValue, { minLength: fields.length, maxLength: fields.length }),
  });
  return fc.array(drawn, { minLength: 2, maxLength: 60 }).map((steps) => {
    let timeMs = Date.UTC(2026, 0, 1);
    return steps.map(({ stepMs, values }) => {
      timeMs += stepMs;
      const row = values.map((value, i) => drawnAs(value, fields[i]!.length));
      return { entity: "a", timeMs, values: row, filled: undefined, test: false };
    });
  });
}

function drawnAs(drawn: number | null, length: number): Value {
  if (drawn === null || length === 1) return drawn;
  return Float32Array.from({ length }, (_, i) => Math.sin(drawn + (i * (drawn + 5)) / 7));
}

const cut = fc.double({ min: 0, max: 1, noNaN: true });

/** The same part after a kill: through bytes, into a fresh instance. */
function revived<Part extends Stateful>(part: Part, fresh: Part): Part {
  const saved: Saved = decodeState(encodeState(part.save()));
  fresh.restore(saved);
  return fresh;
}

/** Each operator in each of the ways it shows. */
function casesOf<Operator extends { readonly name: string } & Examples>(
  operators: Readonly<Record<string, Operator>>,
) {
  return Object.values(operators).flatMap((operator) =>
    [operator.example, ...(operator.moreExamples ?? [])].map((example, i) => ({
      name: i === 0 ? operator.name : `${operator.name} ${JSON.stringify(example.params)}`,
      operator,
      example,
    })),
  );
}

interface Examples {
  readonly example: OperatorExample;
  readonly moreExamples?: readonly OperatorExample[];
}

/** The same with the keys of every map the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => reversed(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, reversed(each)]),
  );
}

// A task is hashed from its parsed form, and parsed again from canonical JSON on every device.
test.each([...casesOf(stepOperators), ...casesOf(featureOperators)])(
  "$name is read alike whatever the order of its keys",
  ({ operator, example }) => {
    const parsed = operator.params.parse(example.params);
    expect(canonicalJson(operator.params.parse(reversed(example.params)))).toBe(canonicalJson(parsed));
  },
);

describe.each(casesOf(stepOperators))("step $name", ({ operator, example }) => {
  const params = operator.params.parse(example.params);
  const input = inputOf(operator.reads(params, []), example);
  const create = (rows: PipelineRow[]) => {
    const emit = (row: PipelineRow) => void rows.push(row);
    return operator.create(params, input, { counters: new Counters(), emit });
  };

  test("what comes out does not depend on a kill in between", () => {
    fc.assert(
      fc.property(rowsOf(input), cut, (rows, share) => {
        const whole: PipelineRow[] = [];
        const broken: PipelineRow[] = [];
        const steady = create(whole);
        let instance = create(broken);
        const killAt = Math.floor(share * rows.length);
        rows.forEach((row, i) => {
          if (i === killAt) instance = revived(instance, create(broken));
          steady.push(row);
          instance.push(row);
          steady.advance(row.timeMs);
          instance.advance(row.timeMs);
          expect(instance.dueMs()).toBe(steady.dueMs());
        });
        steady.flush();
        instance.flush();
        expect(broken).toEqual(whole);
      }),
    );
  });

  test("rows come out in rising event time, one value per declared field, none of them NaN", () => {
    const { fields } = operator.output(params, input);
    fc.assert(
      fc.property(rowsOf(input), (rows) => {
        const out: PipelineRow[] = [];
        const instance = create(out);
        let promisedMs = Number.NEGATIVE_INFINITY;
        for (const row of rows) {
          promisedMs = Math.max(promisedMs, instance.advance(row.timeMs));
          const before = out.length;
          instance.push(row);
          for (const { timeMs } of out.slice(before)) expect(timeMs).toBeGreaterThanOrEqual(promisedMs);
        }
        instance.flush();
        out.forEach(({ timeMs, values }, i) => {
          if (i > 0) expect(timeMs).toBeGreaterThan(out[i - 1]!.timeMs);
          expect(values.map((value) => lengthOf(value))).toEqual(
            values.map((value, at) => (value === null ? null : fields[at]!.length)),
          );
          expect(values).toHaveLength(fields.length);
        });
      }),
    );
  });

  test("says what it costs", () => {
    const { stateBytes, warmUpMs, warmUpRows } = operator.cost(params, input);
    for (const part of [stateBytes, warmUpMs, warmUpRows]) expect(part).toBeGreaterThanOrEqual(0);
  });
});

describe.each(casesOf(featureOperators))("feature $name", ({ operator, example }) => {
  const params = operator.params.parse(example.params);
  const input = inputOf(operator.reads(params), example);
  const columns = operator.columns(params, input);
  const create = () => operator.create(params, input, new Counters());

  test("what comes out does not depend on a kill in between", () => {
    fc.assert(
      fc.property(rowsOf(input), cut, (rows, share) => {
        const steady = create();
        let computer = create();
        const killAt = Math.floor(share * rows.length);
        rows.forEach((row, i) => {
          if (i === killAt) computer = revived(computer, create());
          const expected = new Float32Array(columns.length);
          const actual = new Float32Array(columns.length);
          const state = steady.push(row, expected, 0);
          expect(computer.push(row, actual, 0)).toBe(state);
          if (state === "complete" || state === "missing") expect(actual).toEqual(expected);
        });
      }),
    );
  });

  test("writes its columns and no others, with NaN only where it says that some are missing", () => {
    fc.assert(
      fc.property(rowsOf(input), (rows) => {
        const computer = create();
        for (const row of rows) {
          const out = new Float32Array(columns.length + 2).fill(7);
          const state = computer.push(row, out, 1);
          expect([out[0], out.at(-1)]).toEqual([7, 7]);
          const isMissing = out.some((value) => Number.isNaN(value));
          if (state === "complete") expect(isMissing).toBe(false);
          if (state === "missing") expect(isMissing).toBe(true);
        }
      }),
    );
  });

  test("names its columns once each, and says what it costs", () => {
    expect(new Set(columns).size).toBe(columns.length);
    const { stateBytes, warmUpMs, warmUpRows } = operator.cost(params, input);
    for (const part of [stateBytes, warmUpMs, warmUpRows]) expect(part).toBeGreaterThanOrEqual(0);
  });
});

function lengthOf(value: Value): number | null {
  if (value === null) return null;
  if (typeof value !== "number") return value.length;
  expect(Number.isFinite(value)).toBe(true);
  return 1;
}
