// The source of a first task: how its messages are read, and what its values must be like.

import { formatDuration } from "../../shared/task/units.js";
import type { FieldSurvey } from "./field-survey.js";
import { type Flow, flow } from "./flow.js";
import { roundLimits, roundUp } from "./round.js";
import type { StarterPlan } from "./starter-plan.js";
import { about, percent, shown } from "./starter-text.js";
import type { Survey } from "./survey.js";

const DAY_MS = 86_400_000;
/** Beyond it a number is no measurement, and limits say nothing. */
const LIMIT_MAX = 1e15;
/** A check that takes longer to notice is none. */
const STUCK_MAX_MS = 3 * DAY_MS;

/** The YAML of `sources`, with what was seen of each field. `task` names a topic where none is known. */
export function sourceText(survey: Survey, plan: StarterPlan, task: string): string {
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
    some: ["    # The first line does not give every column a name of its own."],
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

function checkLines(
  name: string,
  field: FieldSurvey,
  { spacing }: Survey,
  plan: StarterPlan,
): readonly string[] {
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

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}
