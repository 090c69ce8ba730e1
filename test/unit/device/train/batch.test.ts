import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchGatherer } from "../../../../device/train/batch.js";

test("batches together hold each row once, in the given order, the last one short", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (rows, capacity) => {
      const x = Float32Array.from({ length: rows * 2 }, (_, at) => at);
      const y = Float32Array.from({ length: rows }, (_, at) => -at);
      const order = Uint32Array.from({ length: rows }, (_, row) => rows - 1 - row);
      const gatherer = new BatchGatherer({ rows, x, y }, capacity);
      const seen: number[] = [];
      for (let start = 0; start < rows; start += capacity) {
        const batch = gatherer.gather(order, start);
        expect(batch.rows).toBe(Math.min(capacity, rows - start));
        expect(batch.x).toHaveLength(batch.rows * 2);
        for (let at = 0; at < batch.rows; at++) {
          seen.push(-batch.y[at]!);
          expect([...batch.x.subarray(at * 2, at * 2 + 2)]).toEqual([
            -2 * batch.y[at]!,
            1 - 2 * batch.y[at]!,
          ]);
        }
      }
      expect(seen).toEqual([...order]);
    }),
  );
});
