import fc from "fast-check";
import { expect, test } from "vitest";
import { RangeSet } from "../../../../server/ingest/range-set.js";

const SPACE = 60;
const pieces = fc.array(fc.tuple(fc.nat(SPACE - 1), fc.integer({ min: 1, max: 12 })), { maxLength: 30 });

/** Both ways of remembering bytes: ranges, and one flag per byte. */
function fill(parts: readonly (readonly [number, number])[]) {
  const set = new RangeSet();
  const bytes = new Set<number>();
  for (const [offset, length] of parts) {
    const own = Array.from({ length }, (_, i) => offset + i);
    const isTaken = own.some((at) => bytes.has(at));
    expect(set.overlaps(offset, length)).toBe(isTaken);
    if (isTaken) continue;
    set.add(offset, length);
    for (const at of own) bytes.add(at);
  }
  return { set, bytes };
}

test("holds exactly the bytes that were added, whatever the order", () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const { set, bytes } = fill(parts);
      const held = set.ranges.flatMap(([offset, length]) => Array.from({ length }, (_, i) => offset + i));
      expect(held).toEqual([...bytes].toSorted((a, b) => a - b));
      expect(set.total).toBe(bytes.size);
    }),
  );
});

test("its ranges neither overlap nor touch", () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const { ranges } = fill(parts).set;
      for (const [i, [offset]] of ranges.entries()) {
        const before = ranges[i - 1];
        if (before !== undefined) expect(before[0] + before[1]).toBeLessThan(offset);
      }
    }),
  );
});

test("a copy stays as it is", () => {
  const set = new RangeSet();
  set.add(0, 4);
  const copy = set.copy();
  set.add(4, 4);
  expect(copy.ranges).toEqual([[0, 4]]);
  expect([copy.total, set.total]).toEqual([4, 8]);
});
