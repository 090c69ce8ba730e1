// What the watch over features says of columns of every kind, and what it keeps.

import { expect, test } from "vitest";
import { DataDrift } from "../../../../../shared/drift/data/data-drift.js";
import {
  type ColumnDrift,
  DATA_DRIFT_DEFAULTS,
  type DataDriftOptions,
  type DriftRow,
} from "../../../../../shared/drift/data/port.js";
import { decodeState, encodeState } from "../../../../../shared/pipeline/state.js";
import { randomStream } from "../../../../../shared/random.js";
import { DAY_MS, telemetryOf } from "../../../../support/telemetry-streams.js";

const MINUTE_MS = 60_000;
const WINDOW_ROWS = DATA_DRIFT_DEFAULTS.windowRows;

type Draw = (i: number) => number;

/** Rows of one column, a minute apart. */
function rowsOf(length: number, draw: Draw, fromMs = 0): DriftRow[] {
  return Array.from({ length }, (_, i) => ({
    timeMs: fromMs + i * MINUTE_MS,
    features: Float32Array.of(draw(i)),
  }));
}

/** The last verdict on one column after `windows` windows of `now`, against `before`. */
function verdictOf(
  before: Draw,
  now: Draw,
  windows = 2,
  options: Partial<DataDriftOptions> = {},
): ColumnDrift {
  const drift = new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns: ["x"], ...options });
  drift.freeze(rowsOf(4_000, before));
  const told = rowsOf(windows * WINDOW_ROWS, now, 4_000 * MINUTE_MS).map((row) => drift.push(row));
  return told.at(-1)!.columns[0]!;
}

const random = randomStream("1", "data drift");
const normal: Draw = () => random.normal();

test("a shift is told in the second window that shows it, not in the first", () => {
  const shifted: Draw = () => normal(0) + 1;
  expect(verdictOf(normal, shifted, 1)).toMatchObject({ verdict: "ok", differed: 1, test: "ks" });
  expect(verdictOf(normal, shifted, 2)).toMatchObject({ verdict: "drift", differed: 2 });
});

test("the effect of a shift by one deviation is 1, and what it is worth is said", () => {
  const told = verdictOf(normal, () => normal(0) + 1);
  if (told.verdict === "not-testable") throw new Error("testable");
  // The window's own spread: 1,000 values know their mean to 0.03.
  expect(told.effect).toBeCloseTo(1, 0);
  expect(told.points).toBeGreaterThan(600);
  expect(told.p).toBeLessThan(1e-20);
});

test("a sure but small difference is no drift: the effect stays below the floor", () => {
  const told = verdictOf(normal, () => normal(0) + 0.12);
  expect(told).toMatchObject({ verdict: "ok", differed: 0, floor: 0.2 });
});

test("a changed spread is told, though the mean holds", () => {
  expect(verdictOf(normal, () => 2 * normal(0))).toMatchObject({ verdict: "drift" });
  expect(verdictOf(normal, () => 2 * normal(0), 2, { test: "psi" })).toMatchObject({
    verdict: "drift",
    test: "psi",
  });
});

test("a column of few values is counted: shares that move are told, and so is a value never seen", () => {
  const state =
    (share: number): Draw =>
    () =>
      random.uniform() < share ? 1 : 0;
  expect(verdictOf(state(0.3), state(0.3))).toMatchObject({ verdict: "ok", test: "chi-square" });
  expect(verdictOf(state(0.3), state(0.7))).toMatchObject({ verdict: "drift", test: "chi-square" });
  expect(verdictOf(state(0.3), () => (random.uniform() < 0.5 ? 7 : 0))).toMatchObject({ verdict: "drift" });
});

test("says why a column cannot be tested", () => {
  const because = (reason: string) => ({ verdict: "not-testable", reason });
  expect(verdictOf(() => 5, normal)).toEqual(because("constant"));
  expect(verdictOf(() => Number.NaN, normal)).toEqual(because("missing"));
  expect(verdictOf(normal, () => Number.NaN)).toEqual(because("missing"));
  expect(verdictOf((i) => i, normal)).toEqual(because("autocorrelated"));
  expect(verdictOf(normal, normal, 1, { seasonMs: 30 * DAY_MS })).toEqual(because("season"));
  const blank = new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns: ["x"], windowRows: 2 });
  expect(rowsOf(2, normal).map((row) => blank.push(row))[1]?.columns).toEqual([because("no-reference")]);
});

test("values that are missing or infinite are left out", () => {
  const gappy: Draw = (i) => [normal(i), Number.NaN, Number.POSITIVE_INFINITY, normal(i)][i % 4]!;
  expect(verdictOf(gappy, gappy)).toMatchObject({ verdict: "ok" });
});

test("goes on where it was after a kill, with and without a season", () => {
  for (const name of ["phi 0.5", "daily cycle, phi 0.9"]) {
    const next = telemetryOf(name, "kill", 3);
    const create = () =>
      new DataDrift({
        ...DATA_DRIFT_DEFAULTS,
        columns: ["a", "b", "c"],
        ...(name === "phi 0.5" ? {} : { seasonMs: DAY_MS }),
      });
    const steady = create();
    let killed = create();
    steady.freeze(Array.from({ length: 4_000 }, () => next()));
    killed.restore(decodeState(encodeState(steady.save())));
    for (let i = 0; i < 4_500; i++) {
      if (i % 1_700 === 900) {
        const saved = decodeState(encodeState(killed.save()));
        killed = create();
        killed.restore(saved);
      }
      const row = next(i > 2_000 ? 1 : 0);
      expect(killed.push(row)).toEqual(steady.push(row));
    }
  }
});

test("while a new reference is made column by column, the old one stands", () => {
  const create = () => new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns: ["x"] });
  const [stepped, whole] = [create(), create()];
  for (const drift of [stepped, whole]) drift.freeze(rowsOf(3_000, (i) => Math.sin(i * i)));
  const next = rowsOf(3_000, (i) => 3 + Math.sin(i * i));
  const steps = stepped.freezeByColumn(next);
  steps.next();
  const row = { timeMs: 0, features: Float32Array.of(0) };
  expect(stepped.push(row)).toEqual(whole.push(row));
  expect(stepped.save()).toEqual(whole.save());
  expect(steps.next().done).toBe(true);
  whole.freeze(next);
  expect(stepped.save()).toEqual(whole.save());
});

test("a column's state stays within 9 kB, within 18 kB with a season", () => {
  for (const [seasonMs, mostBytes] of [
    [undefined, 9_000],
    [DAY_MS, 18_000],
  ] as const) {
    const next = telemetryOf("phi 0.98", "bytes", 1);
    const drift = new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns: ["x"], seasonMs });
    drift.freeze(Array.from({ length: 20_000 }, () => next()));
    for (let i = 0; i < 7_990; i++) drift.push(next());
    expect(encodeState(drift.save()).length).toBeLessThan(mostBytes);
  }
});
