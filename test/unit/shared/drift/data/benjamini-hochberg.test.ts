import fc from "fast-check";
import { expect, test } from "vitest";
import { adjust } from "../../../../../shared/drift/data/benjamini-hochberg.js";

test("raises p-values as R's p.adjust does", () => {
  const adjusted = adjust([0.01, 0.02, 0.03, 0.04, 0.05]);
  for (const p of adjusted) expect(p).toBeCloseTo(0.05, 12);
  expect(adjust([0.001, 0.5, 0.02])).toEqual([0.003, 0.5, 0.03]);
  expect(adjust([])).toEqual([]);
});

test("never lowers one, never passes 1, and keeps their order", () => {
  const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });
  fc.assert(
    fc.property(p, (values) => {
      const adjusted = adjust(values);
      values.forEach((value, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(value);
        expect(adjusted[i]).toBeLessThanOrEqual(1);
        values.forEach((other, j) => {
          if (value <= other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
        });
      });
    }),
  );
});
