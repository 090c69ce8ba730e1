import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { time } from "../../../cli/argument.js";

test("a time is written as in a task", () => {
  expect(time("2026-01-09")).toBe(Date.UTC(2026, 0, 9));
  expect(time("2026-01-09T12:00:00+02:00")).toBe(Date.UTC(2026, 0, 9, 10));
});

test("a time that depends on where it is read, or is none, is refused with what was given", () => {
  for (const text of ["2026-01-09T12:00:00", "9 January 2026", "2026-13-01", ""]) {
    expect(() => time(text)).toThrow(InvalidArgumentError);
    expect(() => time(text)).toThrow(`ISO 8601 time with a zone (2016-03-01T12:00:00Z), got "${text}".`);
  }
});
