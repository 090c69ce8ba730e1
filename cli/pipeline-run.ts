// `headwater pipeline run TASK --data [SOURCE=]FILE...`: features as CSV, and what was taken, dropped and why.

import { existsSync } from "node:fs";
import Table from "cli-table3";
import { STDIN } from "../device/offline/file-lines.js";
import type { Encoding } from "../device/offline/line-format.js";
import { createRowFormat, type rowFormats } from "../device/offline/row-format.js";
import { type DataFile, type OfflineResult, runOffline } from "../device/offline/run.js";
import { systemClock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import type { DeviceId } from "../shared/id.js";
import { planPipeline } from "../shared/pipeline/plan.js";
import type { Example, FeatureRow } from "../shared/pipeline/types.js";
import { didYouMean } from "../shared/task/suggest.js";
import type { Task } from "../shared/task/task.js";
import { formatDuration } from "../shared/task/units.js";
import { loadTaskFile } from "./task-file.js";
import { openTextOut } from "./text-out.js";

export interface RunOptions {
  readonly data: readonly string[];
  readonly topic?: string;
  readonly withTopic: boolean;
  readonly encoding?: Encoding;
  readonly device: DeviceId;
  readonly from: number;
  readonly every: number;
  readonly examples: boolean;
  readonly format: (typeof rowFormats)[number];
  readonly out?: string;
  readonly json: boolean;
}

/** More than this share of late readings is no accident: the lines are not in the order of event time. */
const LATE_SHARE = 0.01;

/** Runs the pipeline. A reader that goes away, such as `head`, ends it quietly. */
export async function runPipeline(path: string, options: RunOptions): Promise<void> {
  const { task } = loadTaskFile(path);
  const files = parseData(options, task);
  const columns = planPipeline(task).columns;
  const isRevised = Object.values(task.sources).some(({ late }) => late.then === "update");
  const { examples: isExamples, format: kind, topic, encoding, from: fromMs, every: everyMs } = options;
  const format = createRowFormat(kind, { columns, isExamples, isRevised });
  const startMs = systemClock.now();
  const out = openTextOut(options.out);
  out.write(format.header);
  const result = await runOffline({
    ...{ task, files, topic, encoding, device: options.device, withTopic: options.withTopic },
    arrival: { fromMs, everyMs },
    sink: {
      features: (row: FeatureRow) => isExamples || out.write(format.line(row)),
      example: (example: Example) => !isExamples || out.write(format.line(example)),
      ready: () => out.ready(),
    },
  });
  await out.close();
  if (result.isCut) return;
  const summary = { ...summaryOf(result, columns), seconds: (systemClock.now() - startMs) / 1000 };
  const notes = [...strangers(task, files), ...hintsFor(task, result)];
  const text = options.json ? `${JSON.stringify({ ...summary, notes })}\n` : describe(summary, notes);
  (options.out === undefined ? process.stderr : process.stdout).write(text);
}

function parseData({ data, withTopic }: RunOptions, task: Task): readonly DataFile[] {
  const files = data.map((text) => parseFile(text, task, withTopic));
  if (files.filter(({ path }) => path === STDIN).length > 1)
    throw new HeadwaterError("config-invalid", "--data: the standard input can be read only once");
  return files;
}

function parseFile(text: string, task: Task, withTopic: boolean): DataFile {
  const known = Object.keys(task.sources);
  const [, name, path] = /^([A-Za-z][A-Za-z0-9_-]{0,63})=(.+)$/.exec(text) ?? [];
  if (name !== undefined && path !== undefined) {
    if (known.includes(name)) return { source: name, path };
    // A file may have "=" in its name.
    if (!existsSync(text)) throw noSource(text, name, known);
  }
  if (withTopic) return { source: undefined, path: text };
  if (known.length > 1)
    throw new HeadwaterError(
      "config-invalid",
      `--data ${text}: of which source? Write SOURCE=${text}, or use --with-topic; there are ${known.join(", ")}`,
    );
  return { source: known[0], path: text };
}

function noSource(text: string, name: string, known: readonly string[]): HeadwaterError {
  const hint = didYouMean(name, known) || `; there are ${known.join(", ")}`;
  return new HeadwaterError("config-invalid", `--data ${text}: no source is called "${name}"${hint}`);
}

function summaryOf({ lines, readings, rows, examples, counters }: OfflineResult, columns: readonly string[]) {
  return { lines, readings, rows, examples, columns, counters: counters.toJSON() };
}

function strangers(task: Task, files: readonly DataFile[]): readonly string[] {
  if (files.some(({ source }) => source === undefined)) return [];
  return Object.keys(task.sources)
    .filter((name) => files.every(({ source }) => source !== name))
    .map((name) => `nothing comes from source "${name}": no --data names it`);
}

/** What somebody who sees too few rows would look for. */
function hintsFor(task: Task, { lines, readings, rows, counters }: OfflineResult): readonly string[] {
  if (lines === 0) return ["there was no line"];
  if (readings === 0) return ["no line gave a reading: the counters say why"];
  const hints: string[] = [];
  const late = counters.get("readings.late");
  if (late > LATE_SHARE * readings)
    hints.push(
      `${late} of ${readings} readings came late: sort the lines by time, or raise late.disorder of their source`,
    );
  if (rows === 0) {
    const { ms, rows: needed } = planPipeline(task).warmUp;
    hints.push(
      `no row of features: the pipeline is warm after ${formatDuration(ms)} and ${needed} rows of one entity`,
    );
  }
  return hints;
}

function describe(
  summary: ReturnType<typeof summaryOf> & { readonly seconds: number },
  notes: readonly string[],
): string {
  const { lines, readings, rows, examples, columns, counters, seconds } = summary;
  const { train, validation, test } = examples;
  const table = new Table({
    head: ["counter", "count"],
    style: { head: [], border: [] },
    colAligns: ["left", "right"],
  });
  for (const entry of Object.entries(counters)) table.push(entry);
  const text = [
    `${lines} lines, ${readings} readings, ${rows} rows of ${columns.length} columns in ${seconds} s`,
    `${train} train, ${validation} validation and ${test} test examples`,
    ...(table.length === 0 ? [] : [table.toString()]),
    ...notes,
  ];
  return `${text.join("\n")}\n`;
}
