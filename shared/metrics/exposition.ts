// Prometheus' text format 0.0.4: one page of values, of metrics that are in a table and in nothing else.

import { assert } from "../assert.js";
import type { MetricDefinition, MetricTable } from "./definition.js";
import type { Buckets } from "./histogram.js";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

/** What the series beyond a metric's bound are told as. */
export const OTHER = "__other__";

/** Collects values, then writes them in the order of the table. Equal values make equal text. */
export class Exposition<Name extends string> {
  readonly #table: MetricTable;
  readonly #families = new Map<string, Map<string, number | Buckets>>();

  constructor(table: Readonly<Record<Name, MetricDefinition>>) {
    this.#table = table;
  }

  /** Sets a gauge or counter. An undefined value is not told. */
  set(name: Name, value: number | undefined, labels: Labels = {}): void {
    if (value === undefined) return;
    assert(this.#definition(name, labels).kind !== "histogram", `${name} is a histogram`);
    const series = this.#seriesOf(name);
    const key = this.#keyFor(name, labels, series);
    const before = series.get(key);
    const isShared = key.includes(OTHER) && typeof before === "number";
    series.set(key, isShared ? before + value : value);
  }

  /** Sets every series of a metric with one label. */
  setEach(name: Name, label: string, values: Readonly<Record<string, number | undefined>>): void {
    for (const [word, value] of Object.entries(values)) this.set(name, value, { [label]: word });
  }

  buckets(name: Name, buckets: Buckets, labels: Labels = {}): void {
    assert(this.#definition(name, labels).kind === "histogram", `${name} is no histogram`);
    this.#seriesOf(name).set(writeLabels(labels), buckets);
  }

  text(): string {
    return Object.entries(this.#table)
      .flatMap(([name, definition]) => {
        const series = this.#families.get(name);
        return series === undefined ? [] : writeFamily(name, definition, series);
      })
      .join("");
  }

  #definition(name: string, labels: Labels): MetricDefinition {
    const definition = this.#table[name];
    assert(definition !== undefined, `${name} is in the table`);
    const given = Object.keys(labels);
    const isWhole =
      given.length === definition.labels.length && given.every((key) => definition.labels.includes(key));
    assert(isWhole, `${name} has the labels ${definition.labels.join()}, not ${given.join()}`);
    return definition;
  }

  #seriesOf(name: string): Map<string, number | Buckets> {
    const series = this.#families.get(name) ?? new Map<string, number | Buckets>();
    this.#families.set(name, series);
    return series;
  }

  #keyFor(name: string, labels: Labels, series: ReadonlyMap<string, unknown>): string {
    const key = writeLabels(labels);
    if (series.has(key) || series.size < this.#table[name]!.seriesMax) return key;
    return writeLabels(Object.fromEntries(Object.keys(labels).map((label) => [label, OTHER])));
  }
}

function writeFamily(
  name: string,
  { kind, help }: MetricDefinition,
  series: ReadonlyMap<string, number | Buckets>,
): string {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${kind}`];
  for (const [labels, value] of series) {
    if (typeof value === "number") lines.push(`${name}${braces(labels)} ${writeNumber(value)}`);
    else lines.push(...writeBuckets(name, labels, value));
  }
  return `${lines.join("\n")}\n`;
}

function writeBuckets(name: string, labels: string, { bounds, cumulative, count, sum }: Buckets): string[] {
  const bucket = (bound: string, value: number) =>
    `${name}_bucket${braces(joinLabels(labels, `le="${bound}"`))} ${value}`;
  return [
    ...bounds.map((bound, at) => bucket(writeNumber(bound), cumulative[at]!)),
    bucket("+Inf", count),
    `${name}_sum${braces(labels)} ${writeNumber(sum)}`,
    `${name}_count${braces(labels)} ${count}`,
  ];
}

function writeLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escapeLabel(value)}"`)
    .join(",");
}

function joinLabels(labels: string, last: string): string {
  return labels === "" ? last : `${labels},${last}`;
}

function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}

function escapeHelp(help: string): string {
  return help.replace(/[\\\n]/g, (character) => (character === "\n" ? "\\n" : "\\\\"));
}
