// A survey as a first task, in YAML, with what was seen beside what was made of it.

import { formatDuration } from "../../shared/task/units.js";
import type { FieldSurvey } from "./field-survey.js";
import { type Flow, flow } from "./flow.js";
import { roundUp } from "./round.js";
import { planOf, type StarterPlan } from "./starter-plan.js";
import { sourceText } from "./starter-source.js";
import { about, comment, percent, shown } from "./starter-text.js";
import type { Survey } from "./survey.js";

/** What a starter is told besides the survey. */
export interface StarterOptions {
  readonly task: string;
  /** What was looked at, for people. */
  readonly data: string;
}

const DAY_MS = 86_400_000;

/** YAML of a task. Throws `data-invalid` when nothing in the data varies. */
export function starterTask(survey: Survey, options: StarterOptions): string {
  const plan = planOf(survey);
  return [
    header(survey, options),
    sourceText(survey, plan, options.task),
    stepsText(plan),
    featuresText(plan),
    labelText(plan),
    rowsText(survey, plan),
    `model: ${flow({ dense: [32], output: plan.isBinary ? "binary" : "regression" })}\n`,
    notesText(survey, plan),
  ].join("\n");
}

function header(
  { rows, entities, unread, spacing, time, entity, isByFile }: Survey,
  { task, data }: StarterOptions,
): string {
  const times = (time?.timesMs ?? []).filter((ms) => ms !== undefined);
  const span =
    times.length === 0
      ? ""
      : `, ${isoOf(times.reduce((a, b) => Math.min(a, b)))} to ${isoOf(times.reduce((a, b) => Math.max(a, b)))}`;
  const apart =
    spacing === undefined
      ? "How far apart rows are is not known: no field tells the event time."
      : `Rows are ${about(spacing.medianMs)} apart (median), one in a hundred ${about(spacing.longMs)} or more${spacing.isIrregular ? "; they come irregularly" : ""}.`;
  return [
    comment(
      `A first task, guessed from ${data}: ${rows} rows of ${entities === 1 ? "one thing" : `${entities} things`}${span}.`,
    ),
    comment(apart),
    ...(unread > 0 ? [comment(`${unread} lines could not be read.`)] : []),
    comment("Limits are of what was seen: widen them to what can be. `headwater plan` says what this costs."),
    `task: ${flow(task)}`,
    `entity: ${JSON.stringify(isByFile ? "{topic.1}" : entity.template)}`,
    "",
  ].join("\n");
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function stepsText({ grid }: StarterPlan): string {
  if (grid === undefined) return comment("Without event time there is no grid: lags and windows count rows.");
  const resample = { every: formatDuration(grid.everyMs), fill: { hold: formatDuration(grid.holdMs) } };
  return `steps:\n  grid: ${flow({ from: "readings", do: [{ resample }] })}\n`;
}

function featuresText({ copied, rated, label, names, grid, windowMs, isBinary }: StarterPlan): string {
  const nameOf = ({ path }: FieldSurvey) => names.get(path) ?? path;
  const of = nameOf(label);
  const lags =
    grid === undefined
      ? { of, rows: [1, 2, 3] }
      : { of, by: [1, 2, 3, 6].map((rows) => formatDuration(rows * grid.everyMs)) };
  const extent = grid === undefined ? { rows: 12 } : { over: formatDuration(windowMs) };
  return [
    "features:",
    `  from: ${grid === undefined ? "readings" : "grid"}`,
    "  list:",
    `    - copy: ${flow(copied.filter(({ role }) => role !== "words").map(nameOf))}`,
    ...copied
      .filter(({ role }) => role === "words")
      .map((field) => `    - onehot: ${flow({ of: nameOf(field), categories: field.words.length })}`),
    ...(rated.length > 0 ? [`    - rate: ${flow({ of: rated.map(nameOf), per: "1h", reset: true })}`] : []),
    `    - lag: ${flow(lags)}`,
    `    - rolling: ${flow({ of, ...extent, get: isBinary ? ["mean"] : ["mean", "std"] })}`,
    ...(grid !== undefined && grid.everyMs < DAY_MS ? ["    - cyclic: hour"] : []),
    "  scale: standard",
    "",
  ].join("\n");
}

function labelText({ label, names, grid, aheadMs, isBinary }: StarterPlan): string {
  const ahead: Flow = grid === undefined ? { rows: 1 } : formatDuration(aheadMs);
  const of = names.get(label.path) ?? label.path;
  return [
    comment(
      `${of} changes from row to row in ${percent(label.changes)}: a guess at what is worth knowing ahead.`,
    ),
    "label:",
    `  forecast: ${flow({ of, ahead })}`,
    ...(isBinary ? [] : ["  scale: standard"]),
    "",
  ].join("\n");
}

function rowsText({ entities }: Survey, { grid, aheadMs, windowMs }: StarterPlan): string {
  const split: Flow =
    grid === undefined
      ? { validation: { share: "20%", by: entities >= 10 ? "entity" : "example" } }
      : {
          validation: { share: "20%", block: formatDuration(roundUp(10 * (aheadMs + windowMs))) },
          gap: formatDuration(aheadMs + windowMs),
        };
  const why =
    grid === undefined
      ? []
      : ["  # Whole stretches of time are held out; the gap is the horizon and the longest window."];
  return ["rows:", ...why, `  split: ${flow(split)}`, ""].join("\n");
}

function notesText({ fields, notes }: Survey, { copied, rated, names }: StarterPlan): string {
  const lines = [
    ...notes,
    ...fields
      .filter((field) => !copied.includes(field) && !rated.includes(field))
      .map((field) => `${names.get(field.path) ?? field.path} ${reasonOf(field)}`),
  ];
  return lines.length === 0
    ? ""
    : `${comment("Left out, or not told by the data:")}\n${lines.map((line) => comment(`- ${line}`)).join("\n")}\n`;
}

function reasonOf({ role, range, words, length, present }: FieldSurvey): string {
  switch (role) {
    case "counter":
      return "only rises: with event time, its rate would be worth something.";
    case "index":
      return "counts rows.";
    case "diagnostic":
      return "says how the sensor is.";
    case "vector":
      return `is ${length} numbers: to use it, say so in the source, \`vectors: {...: ${length}}\`.`;
    case "constant":
      return `is always ${range === undefined ? words[0] : shown(range.min)}.`;
    case "empty":
      return "never has a value.";
    case "prose":
      return "is text with many values.";
    case "mixed":
      return "is of several types.";
    default:
      return `is one field more than a first task needs (present in ${percent(present)}).`;
  }
}
