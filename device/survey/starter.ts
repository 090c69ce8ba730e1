// A survey as a first task, in YAML, with what was seen beside what was made of it.

import { HeadwaterError } from "../../shared/error.js";
import { formatDuration } from "../../shared/task/units.js";
import { nameFields } from "./field-names.js";
import type { FieldSurvey } from "./field-survey.js";
import { type Flow, flow } from "./flow.js";
import { roundLimits, roundUp } from "./round.js";
import type { Survey } from "./survey.js";

/** What a starter is told besides the survey. */
export interface StarterOptions {
  readonly task: string;
  /** What was looked at, for people. */
  readonly data: string;
}

/** Columns that are copied; more make a large first model of little use. */
const COPIED_MAX = 64;
const DAY_MS = 86_400_000;
/** Beyond it a number is no measurement, and limits say nothing. */
const LIMIT_MAX = 1e15;
/** A check that takes longer to notice is none. */
const STUCK_MAX_MS = 3 * DAY_MS;

/** YAML of a task. Throws `data-invalid` when nothing in the data varies. */
export function starterTask(survey: Survey, options: StarterOptions): string {
  const plan = planOf(survey);
  return [
    header(survey, options),
    sourceText(survey, plan, options),
    stepsText(plan),
    featuresText(plan),
    labelText(plan),
    rowsText(survey, plan),
    `model: ${flow({ dense: [32], output: plan.isBinary ? "binary" : "regression" })}\n`,
    notesText(survey, plan),
  ].join("\n");
}

/** What becomes of the fields. */
interface Plan {
  readonly names: ReadonlyMap<string, string>;
  /** What features copy. */
  readonly copied: readonly FieldSurvey[];
  /** Counters, of which the rate is a feature where event time is known. */
  readonly rated: readonly FieldSurvey[];
  readonly label: FieldSurvey;
  readonly isBinary: boolean;
  /** Of the grid; undefined where event time tells nothing: then everything counts rows. */
  readonly grid: { readonly everyMs: number; readonly holdMs: number } | undefined;
  readonly aheadMs: number;
  readonly windowMs: number;
}

function planOf(survey: Survey): Plan {
  const { fields, spacing } = survey;
  const of = (...roles: readonly FieldSurvey["role"][]) => fields.filter(({ role }) => roles.includes(role));
  // Where sensors say only how they are, that is what they measure.
  const numbers = of("number").length > 0 ? of("number") : of("diagnostic");
  const label = mostTelling(numbers) ?? mostTelling(of("flag"));
  if (label === undefined)
    throw new HeadwaterError(
      "data-invalid",
      `nothing to forecast in ${survey.rows} rows: no number or flag varies (${fields.map(({ path, role }) => `${path}: ${role}`).join(", ")})`,
    );
  const everyMs = spacing?.everyMs;
  return {
    names: nameFields(fields.map(({ path }) => path)),
    copied: [label, ...[...numbers, ...of("flag", "words")].filter((field) => field !== label)].slice(
      0,
      COPIED_MAX,
    ),
    rated: everyMs === undefined ? [] : of("counter").slice(0, COPIED_MAX),
    ...{ label, isBinary: label.role === "flag" },
    grid:
      everyMs === undefined
        ? undefined
        : { everyMs, holdMs: roundUp(Math.max(3 * everyMs, spacing?.longMs ?? 0)) },
    aheadMs: everyMs === undefined ? 0 : everyMs * (everyMs < 3_600_000 ? 6 : 1),
    windowMs: 12 * (everyMs ?? 0),
  };
}

const MEASURED = /temp|pm\d|co2|power|energy|load|humid|level|flow|press|speed|vibr|current|demand|noise/i;

/** The field that varies most often and most finely; of equals one whose name says that it is measured, then the first. */
function mostTelling(fields: readonly FieldSurvey[]): FieldSurvey | undefined {
  const score = ({ path, changes, present, distinct }: FieldSurvey) =>
    changes * present * Math.min(1, distinct / 20) + (MEASURED.test(path) ? 0.3 : 0);
  return fields.reduce<FieldSurvey | undefined>(
    (best, field) => (best === undefined || score(field) > score(best) ? field : best),
    undefined,
  );
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

/** To the second, or to the minute, where that is close enough. */
function about(ms: number): string {
  const unit = ms >= 7_200_000 ? 60_000 : ms >= 10_000 ? 1_000 : 1;
  return formatDuration(Math.round(ms / unit) * unit);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function sourceText(survey: Survey, plan: Plan, { task }: StarterOptions): string {
  const { entity, isByFile } = survey;
  const filter = entity.filter ?? `${task}/${isByFile || entity.path === undefined ? "+" : "#"}`;
  const words = plan.copied.filter(({ role }) => role === "words");
  const quoted = plan.copied.filter(({ isQuoted }) => isQuoted);
  const name = (field: FieldSurvey) => plan.names.get(field.path) ?? field.path;
  const texts: Record<string, Flow> = {
    ...Object.fromEntries(words.map((field) => [name(field), field.words])),
    ...Object.fromEntries(quoted.map((field) => [name(field), "number"])),
  };
  const used = [...plan.copied, ...plan.rated];
  const places = Object.fromEntries(
    used.flatMap((field) => (name(field) === field.path ? [] : [[name(field), field.path]])),
  );
  return [
    "sources:",
    "  readings:",
    ...(entity.filter === undefined
      ? ["    # No line names a topic: say where readings will come from."]
      : []),
    `    mqtt: ${JSON.stringify(filter)}`,
    ...decodeLines(survey),
    ...(isEmpty(places) ? [] : [`    fields: ${flow(places)}`]),
    ...timeLines(survey),
    ...lateLines(survey),
    ...(isEmpty(texts) ? [] : [`    text: ${flow(texts)}`]),
    "    checks:",
    ...used.flatMap((field) => checkLines(name(field), field, survey, plan)),
    "",
  ].join("\n");
}

function decodeLines({ shape }: Survey): readonly string[] {
  if (shape.format !== "csv") return [`    decode: ${shape.format}`];
  const delimiter = shape.delimiter === "," ? undefined : shape.delimiter;
  if (shape.names === "header" && delimiter === undefined)
    return [
      "    # The first line names the columns; over MQTT every message must, or `columns` does.",
      "    decode: csv",
    ];
  const columns = shape.names === "header" ? undefined : shape.columns;
  const why = {
    header: [],
    short: ["    # The first line names all columns but the first."],
    none: ["    # No line names the columns: give them their names."],
  };
  return [...why[shape.names], `    decode: ${flow({ csv: { columns, delimiter } })}`];
}

function timeLines({ time, shape }: Survey): readonly string[] {
  if (time === undefined)
    return ["    # No field looks like a time: a reading's time is when it arrives.", "    time: arrival"];
  const { from } = time;
  if (from.kind === "calendar")
    return [
      `    # ${from.paths.join(", ")} are the parts of a time, which is read from one field only: write it as one, or let`,
      "    # a reading's time be when it arrives.",
      "    time: arrival",
    ];
  if (shape.format === "tasmota" && from.path === "Time")
    return [
      "    # Time is local time: of this machine's zone unless `decode` names another, {tasmota: {zone: Europe/Berlin}}.",
    ];
  const local =
    from.unit === "local"
      ? ["    # Local time without its zone: this machine's unless `zone` names another."]
      : [];
  return [...local, `    time: ${flow({ field: from.path, unit: from.unit })}`];
}

function lateLines({ spacing }: Survey): readonly string[] {
  if (spacing === undefined || spacing.disorderMs === 0) return [];
  const { disorderMs, spanMs } = spacing;
  if (disorderMs > spanMs / 2)
    return [
      "    # The lines are not in the order of time, as what comes live would be: sort them before a run.",
    ];
  return [
    `    # Rows come up to ${about(disorderMs)} out of order.`,
    `    late: ${flow({ disorder: formatDuration(roundUp(disorderMs)) })}`,
  ];
}

function checkLines(name: string, field: FieldSurvey, { spacing }: Survey, plan: Plan): readonly string[] {
  const { role, range, present, changes, stillMs, distinct } = field;
  const seen =
    range === undefined
      ? `${field.words.length} words`
      : `${shown(range.min)}..${shown(range.max)}, ${distinct} values`;
  const isContinuous = role === "number" && changes >= 0.5;
  const limits = role === "number" || role === "diagnostic" ? limitsOf(field, spacing?.spanMs) : undefined;
  const stillMaxMs = plan.grid === undefined ? Infinity : Math.max(3 * stillMs, 20 * plan.grid.everyMs);
  const stuckMs = isContinuous && stillMaxMs <= STUCK_MAX_MS ? roundUp(stillMaxMs) : undefined;
  const check = {
    ...(limits === undefined ? {} : { min: limits[0], max: limits[1] }),
    ...(stuckMs === undefined ? {} : { stuck: formatDuration(stuckMs) }),
    ...(role === "flag" ? { oneOf: [0, 1] } : {}),
    ...(role === "counter" ? { counter: "reset" } : {}),
    ...(present > 0.999 ? { required: true } : {}),
  };
  return [`      # ${role}, present in ${percent(present)}: ${seen}`, `      ${name}: ${flow(check)}`];
}

/**
 * The quantiles with a margin: the less time was looked at, the wider. A tail that reaches no further from a quantile than
 * the quantiles are apart is kept whole; what was never negative stays so.
 */
function limitsOf({ range }: FieldSurvey, spanMs = 0): readonly [number, number] | undefined {
  if (range === undefined || Math.max(-range.min, range.max) > LIMIT_MAX) return undefined;
  const { min, max, low, high } = range;
  const width = high - low || Math.abs(high) || 1;
  const margin = width * (spanMs >= 7 * DAY_MS ? 0.5 : spanMs >= DAY_MS ? 1 : 2);
  const from = low - min <= width ? Math.min(min, low - margin) : low - margin;
  const to = max - high <= width ? Math.max(max, high + margin) : high + margin;
  const [least, most] = roundLimits(from, to);
  return [min >= 0 ? Math.max(0, least) : least, most];
}

function stepsText({ grid }: Plan): string {
  if (grid === undefined) return comment("Without event time there is no grid: lags and windows count rows.");
  const resample = { every: formatDuration(grid.everyMs), fill: { hold: formatDuration(grid.holdMs) } };
  return `steps:\n  grid: ${flow({ from: "readings", do: [{ resample }] })}\n`;
}

function featuresText({ copied, rated, label, names, grid, windowMs, isBinary }: Plan): string {
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

function labelText({ label, names, grid, aheadMs, isBinary }: Plan): string {
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

function rowsText({ entities }: Survey, { grid, aheadMs, windowMs }: Plan): string {
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

function notesText({ fields, notes }: Survey, { copied, rated, names }: Plan): string {
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

function comment(text: string): string {
  return `# ${text.replace(/[\r\n]+/g, " ")}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}
