import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitChunks } from "../../../../shared/wire/chunk.js";
import { RangeQueue } from "../../../../shared/wire/range-queue.js";

const ranges = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 500 })), {
  maxLength: 10,
});

/** Everything left, in parts of these sizes by turns. */
function drain(queue: RangeQueue, sizes: readonly number[]): (readonly [number, number])[] {
  const parts = [];
  for (let i = 0; !queue.isEmpty; i++) parts.push(queue.take(sizes[i % sizes.length] ?? 1)!);
  return parts;
}

describe("a range queue", () => {
  test("taken from in equal sizes gives the chunks of its ranges", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 300 }), (all, size) => {
        expect(drain(new RangeQueue(1500, all), [size])).toEqual(splitChunks(1500, size, all));
      }),
    );
  });

  test("gives every byte of its ranges, in order, whatever sizes are asked for", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    const bytesOf = (parts: readonly (readonly [number, number])[]) =>
      parts.flatMap(([offset, length]) => Array.from({ length }, (_, i) => offset + i));
    fc.assert(
      fc.property(ranges, sizes, (all, wanted) => {
        const parts = drain(new RangeQueue(1500, all), wanted);
        expect(parts.every(([, length]) => length > 0)).toBe(true);
        expect(bytesOf(parts)).toEqual(bytesOf(splitChunks(1500, 1, all)));
      }),
    );
  });

  test("gives what was put back before anything else", () => {
    const queue = new RangeQueue(100, [[0, 100]]);
    queue.take(50);
    queue.putBack([10, 20]);
    expect(drain(queue, [100])).toEqual([
      [10, 20],
      [50, 50],
    ]);
    expect(queue.take(1)).toBeUndefined();
  });
});
