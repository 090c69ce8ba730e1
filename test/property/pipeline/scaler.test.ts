import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitScaler, scaleLabel, unscaleLabel } from "../../../shared/pipeline/scaler.js";
import { mergeStatistics, statisticsOf } from "../../../shared/pipeline/statistics.js";
import { taskOf } from "../../support/pipeline.js";

const example = fc.tuple(
  fc.float({ min: -1e6, max: 1e6, noNaN: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
);
const examples = fc.array(example, { maxLength: 60 });

function statistics(rows: readonly (readonly [number, number])[]) {
  const accumulator = statisticsOf(1);
  for (const [x, label] of rows) accumulator.add(new Float32Array([x]), label);
  return accumulator.finish();
}

describe("scaler", () => {
  test("merged statistics are those of the concatenation, in any grouping and order", () => {
    fc.assert(
      fc.property(examples, examples, examples, (a, b, c) => {
        const whole = statistics([...a, ...b, ...c]);
        const [sa, sb, sc] = [statistics(a), statistics(b), statistics(c)];
        for (const merged of [
          mergeStatistics(mergeStatistics(sa, sb), sc),
          mergeStatistics(sa, mergeStatistics(sb, sc)),
          mergeStatistics(mergeStatistics(sc, sa), sb),
        ]) {
          expect(merged.count).toBe(whole.count);
          expect(merged.min).toEqual(whole.min);
          expect(merged.max).toEqual(whole.max);
          whole.mean.forEach((mean, i) => {
            // Float64: at most 180 roundings of 1e-16 relative to the largest value, or to its square.
            const scale = Math.max(Math.abs(whole.min[i]!), Math.abs(whole.max[i]!), 1e-300);
            expect(Math.abs(merged.mean[i]! - mean)).toBeLessThanOrEqual(1e-13 * scale);
            expect(Math.abs(merged.m2[i]! - whole.m2[i]!)).toBeLessThanOrEqual(1e-13 * scale * scale * 180);
          });
        }
      }),
    );
  });

  test("a label comes back from scaling as it went in", () => {
    const kinds = fc.constantFrom("standard", "minmax", "none", { constant: { offset: 3, divide: 7 } });
    fc.assert(
      fc.property(
        kinds,
        fc.array(example, { minLength: 1 }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (kind, rows, label) => {
          const merged = statistics(rows);
          const scaler = fitScaler(taskOf({ label: { field: "x", scale: kind } }), merged);
          // The offset (up to 3) is added and taken away: a few roundings of it, widened by a small spread.
          const error = 1e-14 * (4 + Math.abs(scaler.label.offset));
          expect(Math.abs(unscaleLabel(scaler, scaleLabel(scaler, label)) - label)).toBeLessThanOrEqual(
            error,
          );
        },
      ),
    );
  });

  test("fitting never divides by zero", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("standard", "minmax"),
        fc.array(example, { minLength: 1 }),
        (kind, rows) => {
          const task = taskOf({ features: { from: "air", list: [{ copy: "x" }], scale: kind } });
          const { offset, factor } = fitScaler(task, statistics(rows));
          expect([...offset, ...factor].every(Number.isFinite)).toBe(true);
          expect(factor.every((each) => each > 0)).toBe(true);
        },
      ),
    );
  });
});
