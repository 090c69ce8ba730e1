// What a label must fit: the model's output, its source, the split.

import { numberOf, wordsOf } from "../pipeline/labels/codes.js";
import { labelReads, labelSourceOf } from "../pipeline/labels/fields.js";
import { classesOf } from "../pipeline/labels/target.js";
import type { Problem } from "./problem.js";
import { didYouMean } from "./suggest.js";
import type { Code, LabelSpec, Task } from "./task.js";
import { formatDuration } from "./units.js";

/** What is wrong with the task's label, and with what depends on its kind. */
export function checkLabel(task: Task): Problem[] {
  const { label, model } = task;
  const problems: Problem[] = [];
  if ((label.kind === "none") !== (model.output.kind === "reconstruction"))
    problems.push({
      path: ["label"],
      message:
        label.kind === "none" ? "none is for an autoencoder only" : "an autoencoder has none: expected none",
    });
  if (model.output.kind === "classification") problems.push(...checkCategory(label, "a class index"));
  if (model.output.kind === "binary") problems.push(...checkCategory(label, "a label of 0 or 1"));
  if (label.kind === "field" && (label.min ?? -Infinity) >= (label.max ?? Infinity)) {
    problems.push({
      path: ["label", "field", "min"],
      message: `expected less than max ${label.max}, got ${label.min}`,
    });
  }
  return [
    ...problems,
    ...checkEvent(task),
    ...checkThreshold(task),
    ...checkSource(task),
    ...checkLeakage(task),
    ...checkBalance(task),
  ];
}

// Between two categories there is nothing that a label could be moved to.
function checkCategory(label: LabelSpec, what: string): Problem[] {
  const problems: Problem[] = [];
  if (label.scale.kind !== "none")
    problems.push({ path: ["label", "scale"], message: `${what} is never scaled: expected "none"` });
  if (label.kind === "field" && (label.min ?? label.max) !== undefined)
    problems.push({ path: ["label", "field"], message: `${what} is never clamped` });
  return problems;
}

function checkEvent({ label, model }: Task): Problem[] {
  if (label.kind !== "event" || model.output.kind === "binary") return [];
  return [{ path: ["model", "output"], message: 'an event comes or does not: expected "binary"' }];
}

function checkThreshold({ label, rows }: Task): Problem[] {
  if (label.kind !== "none" || label.threshold === undefined || rows.split.validation.share > 0) return [];
  const message = "rows.split.validation is 0%: there are no held-out rows to take it from";
  return [{ path: ["label", "none", "threshold"], message }];
}

function checkSource(task: Task): Problem[] {
  const { label, sources } = task;
  const from = labelSourceOf(label);
  const source = from !== undefined && Object.hasOwn(sources, from) ? sources[from] : undefined;
  if (source === undefined) return [];
  const vectors = labelReads(label)
    .source.filter((field) => Object.hasOwn(source.vectors, field))
    .map((field) => ({
      path: ["label", label.kind, "of"],
      message: `takes numbers: "${field}" is a vector of ${source.vectors[field]}`,
    }));
  return [...vectors, ...checkCodes(task, source)];
}

function checkCodes({ label, model }: Task, source: Task["sources"][string]): Problem[] {
  if (label.kind !== "event" && label.kind !== "feedback") return [];
  const words = wordsOf(source, label.of);
  const check = (codes: readonly Code[], key: string) => unknownCodes(codes, words, label, key);
  if (label.kind === "event")
    return [
      ...check(label.positive, "positive"),
      ...check(label.censor, "censor"),
      ...twice([...label.positive, ...label.censor], "censor", label),
    ];
  const { classes } = label;
  if (classes === undefined) return [];
  const expected = classesOf(model.output);
  const path = ["label", "feedback", "classes"];
  if (expected === undefined) return [{ path, message: "the model tells no classes apart" }];
  const count =
    classes.length === expected
      ? []
      : [{ path, message: `expected ${expected}, as the model has, got ${classes.length}` }];
  return [...count, ...check(classes, "classes"), ...twice(classes, "classes", label)];
}

function unknownCodes(
  codes: readonly Code[],
  words: readonly string[],
  { kind, from, of }: Extract<LabelSpec, { from: string }>,
  key: string,
): Problem[] {
  return codes.flatMap((code, index) => {
    if (numberOf(code, words) !== undefined) return [];
    const listed = words.length > 0 ? didYouMean(String(code), words) : ": it lists none";
    const message = `"${code}" is no text of sources.${from}.text.${of}${listed}`;
    return [{ path: ["label", kind, key, index], message }];
  });
}

function twice(codes: readonly Code[], key: string, { kind }: LabelSpec): Problem[] {
  if (new Set(codes).size === codes.length) return [];
  return [{ path: ["label", kind, key], message: "a value is named twice" }];
}

// A train row whose label lies beyond the border has seen the test set.
function checkLeakage({ label, rows }: Task): Problem[] {
  const { test, validation, gapMs } = rows.split;
  const problems: Problem[] = [];
  if (test.kind === "session" && test.pauseMs < gapMs)
    problems.push({
      path: ["rows", "split", "test", "pause"],
      message: `${formatDuration(test.pauseMs)} is shorter than the gap ${formatDuration(gapMs)}: sessions would overlap`,
    });
  const splitsByTime =
    test.kind === "from" || test.kind === "last" || (validation.share > 0 && validation.by === "time");
  const aheadMs = aheadOf(label);
  if (!splitsByTime || gapMs >= aheadMs) return problems;
  const what = label.kind === "event" ? "event's horizon" : "forecast's";
  problems.push({
    path: ["rows", "split", "gap"],
    message: `${formatDuration(gapMs)} is shorter than the ${what} ${formatDuration(aheadMs)}: labels would leak`,
  });
  return problems;
}

function aheadOf(label: LabelSpec): number {
  if (label.kind === "event") return label.horizonMs;
  return label.kind === "forecast" && label.ahead.kind === "time" ? label.ahead.ms : 0;
}

function checkBalance({ model, rows: { keep } }: Task): Problem[] {
  if (keep.balance === "none") return [];
  const path = ["rows", "keep", "balance"];
  const classes = classesOf(model.output);
  if (classes === undefined) return [{ path, message: "the model tells no classes apart" }];
  if (keep.reservoir >= classes) return [];
  return [{ path, message: `the reservoir has ${keep.reservoir} places for ${classes} classes` }];
}
