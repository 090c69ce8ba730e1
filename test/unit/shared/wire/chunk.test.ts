import { expect, test } from "vitest";
import { missingRanges, splitChunks } from "../../../../shared/wire/chunk.js";

test("everything is missing before anything has arrived", () => {
  expect(missingRanges([], 100, 10)).toEqual([[0, 100]]);
});

test("nothing is missing from an empty blob", () => {
  expect(missingRanges([], 0, 10)).toEqual([]);
});

test("gaps lie between what has arrived, in any order, doubled or overlapping", () => {
  const received = [
    [50, 10],
    [0, 10],
    [55, 15],
    [0, 10],
    [52, 2],
  ] as const;
  expect(missingRanges(received, 100, 10)).toEqual([
    [10, 40],
    [70, 30],
  ]);
});

test("no more gaps are named than asked for, the first ones", () => {
  const received = [
    [10, 10],
    [30, 10],
    [50, 10],
  ] as const;
  expect(missingRanges(received, 100, 2)).toEqual([
    [0, 10],
    [20, 10],
  ]);
  expect(missingRanges(received, 100, 0)).toEqual([]);
});

test("what lies beyond the end fills no gap", () => {
  expect(missingRanges([[90, 1000]], 100, 10)).toEqual([[0, 90]]);
  expect(missingRanges([[100, 10]], 100, 10)).toEqual([[0, 100]]);
});

test("ranges are cut into chunks, the last of each being the shorter one", () => {
  const ranges = [
    [0, 50],
    [60, 20],
    [90, 1000],
  ] as const;
  expect(splitChunks(100, 20, ranges)).toEqual([
    [0, 20],
    [20, 20],
    [40, 10],
    [60, 20],
    [90, 10],
  ]);
});
