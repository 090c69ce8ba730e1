import { expect, test } from "vitest";
import { didYouMean } from "../../../../shared/task/suggest.js";

test.each([
  ["quorm", '; did you mean "quorum"?'],
  ["Quorum", '; did you mean "quorum"?'],
  ["min_examples", '; did you mean "minExamples"?'],
  ["deadlin", '; did you mean "deadline"?'],
  ["x", ""],
  ["something", ""],
  ["", ""],
])("%j suggests %j", (word, suggestion) => {
  expect(didYouMean(word, ["quorum", "deadline", "minExamples"])).toBe(suggestion);
});

test("of two candidates the nearer is suggested, of equals the first", () => {
  expect(didYouMean("rows", ["rounds", "row"])).toBe('; did you mean "row"?');
  expect(didYouMean("mad", ["mae", "mab"])).toBe('; did you mean "mae"?');
});
