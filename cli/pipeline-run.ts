// `headwater pipeline run TASK --data [SOURCE=]FILE...`: features as CSV, and what was taken, dropped and why.

import Table from "cli-table3";
import { createRowFormat, type rowFormats } from "../device/offline/row-format.js";
import { type OfflineResult, runOffline } from "../device/offline/run.js";
import { systemClock } from "../shared/clock.js";
import { planPipeline } from "../shared/pipeline/plan.js";
import type { Example, FeatureRow } from "../shared/pipeline/types.js";
import { type DataOptions, dataOf, parseData } from "./data-options.js";
import { hintsFor, strangers } from "./run-hints.js";
import { loadTaskFile } from "./task-file.js";
import { openTextOut } from "./text-out.js";

export interface RunOptions extends DataOptions {
  readonly data: readonly string[];
  readonly from: number;
  readonly examples: boolean;
  readonly format: (typeof rowFormats)[number];
  readonly out?: string;
  readonly json: boolean;
}

/** Runs the pipeline. A reader that goes away, such as `head`, ends it quietly. */
export async function runPipeline(path: string, options: RunOptions): Promise<void> {
  const { task } = loadTaskFile(path);
  const files = parseData(options.data, task, options.withTopic);
  const columns = planPipeline(task).columns;
  const isRevised = Object.values(task.sources).some(({ late }) => late.then === "update");
  const { examples: isExamples, format: kind } = options;
  const format = createRowFormat(kind, { columns, isExamples, isRevised });
  const startMs = systemClock.now();
  const out = openTextOut(options.out);
  out.write(format.header);
  const result = await runOffline({
    ...{ task, files, ...dataOf(options, options.from) },
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

function summaryOf({ lines, readings, rows, examples, counters }: OfflineResult, columns: readonly string[]) {
  return { lines, readings, rows, examples, columns, counters: counters.toJSON() };
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
