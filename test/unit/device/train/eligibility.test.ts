import { expect, test } from "vitest";
import { refusalOf } from "../../../../device/train/eligibility.js";

const counts = { train: 10, validation: 1, test: 0 };

test("a device with enough examples and no objection works on anything", () => {
  for (const kind of ["fit", "train", "evaluate"] as const) {
    expect(refusalOf(kind, { counts, minExamples: 10, mayTrain: undefined })).toBeUndefined();
  }
});

test("too few train examples keep it from training, not from scoring", () => {
  const readiness = { counts, minExamples: 11, mayTrain: undefined };
  expect(refusalOf("train", readiness)).toBe("10 train examples, the task asks for 11");
  expect(refusalOf("fit", readiness)).toBe("10 train examples, the task asks for 11");
  expect(refusalOf("evaluate", readiness)).toBeUndefined();
});

test("without validation examples there is nothing to score", () => {
  const none = { ...counts, validation: 0 };
  expect(refusalOf("evaluate", { counts: none, minExamples: 1, mayTrain: undefined })).toBe(
    "no validation examples",
  );
});

test("the owner's word goes for every kind, cut to what the wire carries", () => {
  const mayTrain = () => "x".repeat(500);
  expect(refusalOf("evaluate", { counts, minExamples: 1, mayTrain })).toHaveLength(200);
});
