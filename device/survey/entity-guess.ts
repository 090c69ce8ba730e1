// Which thing a row measures: a level of its topic, or a field with few values.

import type { SurveyFormat } from "./sniff.js";
import { type Cell, pickRows, type Table } from "./table.js";

/** Rows about things, by name. */
export interface EntityGuess {
  /** As a task writes it. */
  readonly template: string;
  /** The field that names it, where it is one. */
  readonly path: string | undefined;
  /** A topic filter that these rows' topics match; undefined where lines name none. */
  readonly filter: string | undefined;
  /** The rows that say the same kind of thing: what the rest is guessed from. */
  readonly table: Table;
  /** By row of `table`. */
  readonly entities: readonly string[];
  /** What was left out, and what could not be told. */
  readonly notes: readonly string[];
}

const NAME =
  /(?:^|[._-])(?:id|device|dev|sensor|station|site|unit|engine|machine|pump|node|host|hostname|name|serial|mac|meter|room|location|asset|entity|source|well|line)(?:_?(?:id|name|no|nr))?$/i;
const TAG = /^[A-Za-z0-9_.:-]{1,64}$/;
/** A field with more values than this share of the rows names readings, not things. */
const DISTINCT_SHARE = 0.2;
/** Two kinds of messages have less than this share of their fields in common. */
const ALIKE_SHARE = 0.5;

/** Tells by topics where lines name them, otherwise by fields. `time` is the path of the event time. */
export function guessEntity(table: Table, format: SurveyFormat, time: string | undefined): EntityGuess {
  const isNamed = table.origins[0]?.topic !== undefined;
  if (isNamed && format === "zigbee2mqtt") return byFriendlyName(table);
  return isNamed ? byLevels(table) : byField(table, time);
}

// zigbee2mqtt/NAME, where NAME may hold slashes. Devices of other models say other things.
function byFriendlyName(table: Table): EntityGuess {
  const nameOf = (row: number) => topicOf(table, row).slice("zigbee2mqtt/".length);
  const isDevice = (row: number) => !/^bridge\/|\/(?:availability|set|get)(?:\/|$)/.test(nameOf(row));
  const { kept, left } = alike(table, rowsOf(table).filter(isDevice), nameOf);
  const notes = left.length > 0 ? [`devices that say other things were not looked at: ${listed(left)}`] : [];
  return {
    ...{ template: "{tag.name}", path: undefined, filter: "zigbee2mqtt/#", notes },
    table: pickRows(table, kept),
    entities: kept.map(nameOf),
  };
}

function byLevels(table: Table): EntityGuess {
  const notes: string[] = [];
  const levelsOf = (row: number) => topicOf(table, row).split("/");
  const depth = commonest(rowsOf(table).map((row) => levelsOf(row).length));
  let rows = rowsOf(table).filter((row) => levelsOf(row).length === depth);
  if (rows.length < table.rows)
    notes.push(`topics of other than ${depth} levels were not looked at: ${table.rows - rows.length} rows`);
  // A level whose values say different things tells kinds of messages apart, not things.
  for (let level = depth - 1; level >= 0; level--) {
    const { kept, left } = alike(table, rows, (row) => levelsOf(row)[level]!);
    if (left.length > 0)
      notes.push(
        `topics with another level ${level} say other things and were not looked at: ${listed(left)}`,
      );
    rows = [...kept];
  }
  const varying = Array.from({ length: depth }, (_, level) => level).filter(
    (level) => new Set(rows.map((row) => levelsOf(row)[level])).size > 1,
  );
  const named = varying.length > 0 ? varying : [Math.min(1, depth - 1)];
  const first = levelsOf(rows[0]!);
  return {
    template: named.map((level) => `{topic.${level}}`).join("-"),
    path: undefined,
    filter: first.map((text, level) => (named.includes(level) ? "+" : text)).join("/"),
    table: pickRows(table, rows),
    entities: rows.map((row) => named.map((level) => levelsOf(row)[level]).join("-")),
    notes,
  };
}

function byField(table: Table, time: string | undefined): EntityGuess {
  const found = [...table.columns]
    .filter(([path, column]) => path !== time && TAG.test(path) && mayName(path, column, table.rows))
    .map(([path, column]) => ({ path, column, distinct: new Set(column).size }))
    .sort((a, b) => b.distinct - a.distinct)[0];
  const common = { filter: undefined, table };
  if (found === undefined) {
    const notes = ["no field names the thing that is measured: all rows are taken to be about one"];
    const entities = new Array<string>(table.rows).fill("");
    return { ...common, template: "{device}", path: undefined, entities, notes };
  }
  const entities = rowsOf(table).map((row) => String(found.column[row]));
  return { ...common, template: `{tag.${found.path}}`, path: found.path, entities, notes: [] };
}

/** A field of every row with few values, named like a thing; or a first column without a name that counts things. */
function mayName(path: string, column: readonly Cell[], rows: number): boolean {
  if (column.length < rows || column.some((cell) => typeof cell !== "string" && !Number.isInteger(cell)))
    return false;
  const distinct = new Set(column).size;
  if (distinct > Math.max(1, DISTINCT_SHARE * rows)) return false;
  if (NAME.test(path)) return true;
  return path === "c1" && distinct > 1 && isRising(column.map(Number));
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, i) => Number.isInteger(value) && (i === 0 || value >= values[i - 1]!));
}

/** The rows of the groups that have most of their fields in common with the largest one, and the names of the others. */
function alike(table: Table, rows: readonly number[], groupOf: (row: number) => string) {
  const groups = new Map<string, { rows: number; readonly fields: Set<string> }>();
  for (const row of rows) {
    const group = groups.get(groupOf(row)) ?? { rows: 0, fields: new Set() };
    groups.set(groupOf(row), group);
    group.rows++;
    for (const [path, column] of table.columns) if (column[row] !== undefined) group.fields.add(path);
  }
  const largest = [...groups.values()].reduce((a, b) => (b.rows > a.rows ? b : a), {
    rows: 0,
    fields: new Set<string>(),
  });
  const isAlike = (name: string) => {
    const { fields } = groups.get(name)!;
    const shared = [...fields].filter((path) => largest.fields.has(path)).length;
    return shared >= ALIKE_SHARE * new Set([...fields, ...largest.fields]).size;
  };
  const left = new Set([...groups.keys()].filter((name) => !isAlike(name)));
  return { kept: rows.filter((row) => !left.has(groupOf(row))), left: [...left] };
}

function topicOf({ origins }: Table, row: number): string {
  return origins[row]?.topic ?? "";
}

function rowsOf({ rows }: Table): number[] {
  return Array.from({ length: rows }, (_, row) => row);
}

function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
