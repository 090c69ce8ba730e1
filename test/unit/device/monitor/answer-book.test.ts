import { expect, test } from "vitest";
import { AnswerBook } from "../../../../device/monitor/answer-book.js";
import { Counters } from "../../../../shared/counters.js";

const at = (timeMs: number, entity = "pump") => ({ entity, timeMs });
const answer = (key: string, value: number) => ({
  pair: 1,
  outputs: [{ key, output: Float32Array.of(value) }],
});

function open(width = 1) {
  const counters = new Counters();
  return { book: new AnswerBook({ width, counters }), counters };
}

test("an answer is found by its row, once", () => {
  const { book } = open();
  book.put(at(1), answer("v1", 5));
  book.put(at(1, "other"), answer("v1", 6));
  expect(book.take(at(1))).toEqual(answer("v1", 5));
  expect(book.take(at(1))).toBeUndefined();
  expect(book.size).toBe(1);
});

test("the oldest answers make room, counted; of wide answers there is room for fewer", () => {
  const { book, counters } = open();
  const limit = 5_533;
  for (let i = 0; i < limit + 3; i++) book.put(at(i), answer("v1", i));
  expect(book.size).toBe(limit);
  expect(book.take(at(2))).toBeUndefined();
  expect(book.take(at(3))).toBeDefined();
  expect(counters.get("monitor.answers-dropped")).toBe(3);
  const wide = open(1_000);
  for (let i = 0; i < 1_000; i++) wide.book.put(at(i), answer("v1", i));
  expect(wide.book.size).toBeLessThan(500);
});

test("what versions said that nobody watches any more is forgotten", () => {
  const { book } = open();
  const output = Float32Array.of(1);
  book.put(at(1), {
    pair: 1,
    outputs: [
      { key: "v1", output },
      { key: "v2", output },
    ],
  });
  book.put(at(2), answer("v2", 1));
  book.keepOnly((key) => key === "v1");
  expect(book.take(at(1))?.outputs).toEqual([{ key: "v1", output }]);
  expect(book.take(at(2))).toBeUndefined();
});
