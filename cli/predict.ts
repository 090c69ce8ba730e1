// `headwater predict MODEL`: rows of files, or of what a device has logged, scored in bulk. The numbers are those that a
// live device gives.

import Table from "cli-table3";
import { type Command, Option } from "commander";
import { predictionColumns, predictionRecord } from "../device/catalogue/export.js";
import { taskOf, viewFolder } from "../device/catalogue/folder.js";
import { openCatalogue } from "../device/catalogue/reading-source.js";
import type { Prediction } from "../device/fact.js";
import { openPredictionFolder, type PredictionFolder } from "../device/offline/prediction-folder.js";
import { type OfflineResult, type OfflineSink, runOffline, runReadings } from "../device/offline/run.js";
import { createScorer, type Scorer, type ScoringModel } from "../device/offline/score.js";
import { systemClock } from "../shared/clock.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import type { EngineChoice } from "../shared/model/runtime.js";
import { time } from "./argument.js";
import { addDataOptions, arrivalOption, type DataOptions, dataOf, parseData } from "./data-options.js";
import { engineOption } from "./plan.js";
import { createRecordFormat, recordFormats } from "./record-format.js";
import { hintsFor, strangers } from "./run-hints.js";
import { isDeviceFolder, loadScoringModel } from "./scoring-model.js";
import { openTextOut, type TextOut } from "./text-out.js";

interface Options extends DataOptions {
  readonly use?: string;
  readonly data?: readonly string[];
  readonly catalogue?: string;
  readonly from?: number;
  readonly to?: number;
  readonly arrival: number;
  readonly format: (typeof recordFormats)[number];
  readonly out?: string;
  readonly store?: string;
  readonly engine: EngineChoice;
  readonly json: boolean;
}

/** Adds the command. */
export function register(program: Command): void {
  const command = program
    .command("predict")
    .description("score files or a device's log in bulk: the same pipeline, the same numbers as live")
    .argument("<model>", "data folder of a device or a server, or a version that was exported or pulled")
    .option(
      "--use <version>",
      "of a server's folder: a number, stable, head, canary, shadow or an alias (default: stable)",
    )
    .option(
      "--data <file...>",
      "[SOURCE=]FILE with a message a line; .gz is unpacked, - is the standard input",
    )
    .option("--catalogue <folder>", "what this device has logged (default: that of <model>, without --data)")
    .option("--from <time>", "only rows from this time on, such as 2026-03-01", time)
    .option("--to <time>", "only rows before this time", time);
  addDataOptions(command)
    .addOption(arrivalOption("--arrival <time>"))
    .addOption(
      new Option("--format <name>", "how predictions are written").choices(recordFormats).default("csv"),
    )
    .option("--out <file>", "write predictions there; the summary then goes to the standard output")
    .option("--store <folder>", "put them among the predictions of this device, whose agent is not running")
    .addOption(engineOption())
    .option("--json", "print the summary as one JSON object", false)
    .action((model: string, options: Options) => predict(model, options));
}

async function predict(path: string, options: Options): Promise<void> {
  const runtime = await createRuntime(options.engine);
  const scored = await loadScoringModel(path, options.use, runtime);
  const startMs = systemClock.now();
  const store = options.store === undefined ? undefined : openPredictionFolder(options.store);
  const writer = new PredictionWriter(options, store);
  const counters = new Counters();
  try {
    const range = { fromMs: options.from, toMs: options.to };
    const sink = (prediction: Prediction) => writer.take(prediction);
    const scorer = await createScorer({ scored, runtime, range, counters, sink });
    const { result, notes } = await run(path, options, { scored, sink: sinkOf(scorer, writer) });
    scorer.flush();
    await writer.close();
    if (result.isCut) return;
    const { lines, readings, rows } = result;
    const summary = {
      ...{ version: scored.manifest.version, lines, readings, rows, predictions: writer.count },
      counters: { ...result.counters.toJSON(), ...counters.toJSON() },
      ...{ notes, seconds: (systemClock.now() - startMs) / 1000 },
    };
    const text = options.json ? `${JSON.stringify(summary)}\n` : describe(summary);
    (options.out === undefined ? process.stderr : process.stdout).write(text);
  } finally {
    store?.close();
    runtime.dispose();
  }
}

interface Run {
  readonly result: OfflineResult;
  readonly notes: readonly string[];
}

async function run(
  path: string,
  options: Options,
  { scored, sink }: { readonly scored: ScoringModel; readonly sink: OfflineSink },
): Promise<Run> {
  const { task } = scored.loaded;
  const { data, catalogue } = options;
  if (data !== undefined && catalogue !== undefined)
    throw new HeadwaterError("config-invalid", "--data and --catalogue: expected one of them");
  if (data === undefined) {
    const result = await runCatalogue(catalogue ?? ownCatalogue(path), scored, sink);
    return { result, notes: hintsFor(task, result) };
  }
  const files = parseData(data, task, options.withTopic);
  const result = await runOffline({ task, files, ...dataOf(options, options.arrival), sink });
  return { result, notes: [...strangers(task, files), ...hintsFor(task, result)] };
}

function ownCatalogue(path: string): string {
  if (isDeviceFolder(path)) return path;
  throw new HeadwaterError("config-invalid", "what is to be scored? Say --data FILE or --catalogue FOLDER");
}

async function runCatalogue(folder: string, { loaded: { task } }: ScoringModel, sink: OfflineSink) {
  const view = viewFolder(folder);
  try {
    const { device } = taskOf(view);
    const open = async (counters: Counters) => [await openCatalogue(view, { task, device, counters })];
    return await runReadings({ task, sink, open });
  } finally {
    view.close();
  }
}

function sinkOf(scorer: Scorer, writer: PredictionWriter): OfflineSink {
  return {
    features: (row) => scorer.features(row),
    example: () => undefined,
    ready: () => writer.ready(),
  };
}

/** Predictions to where they were asked for. */
class PredictionWriter {
  readonly #out: TextOut | undefined;
  readonly #store: PredictionFolder | undefined;
  readonly #format: ReturnType<typeof createRecordFormat>;
  count = 0;

  constructor({ out, format }: Options, store: PredictionFolder | undefined) {
    this.#store = store;
    this.#format = createRecordFormat(format, predictionColumns);
    // Stored ones are written as well only where that was asked for.
    this.#out = out === undefined && store !== undefined ? undefined : openTextOut(out);
    this.#out?.write(this.#format.header);
  }

  take(prediction: Prediction): void {
    this.count++;
    this.#store?.add(prediction);
    this.#out?.write(this.#format.line(predictionRecord(prediction)));
  }

  async ready(): Promise<boolean> {
    return this.#out?.ready() ?? true;
  }

  async close(): Promise<void> {
    await this.#out?.close();
  }
}

function describe(summary: {
  readonly version: number;
  readonly lines: number;
  readonly readings: number;
  readonly predictions: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  readonly seconds: number;
}): string {
  const { version, lines, readings, predictions, counters, notes, seconds } = summary;
  const head = ["counter", "count"];
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: ["left", "right"] });
  for (const entry of Object.entries(counters)) table.push(entry);
  const text = [
    `${lines} lines, ${readings} readings, ${predictions} predictions of version ${version} in ${seconds} s`,
    ...(table.length === 0 ? [] : [table.toString()]),
    ...notes,
  ];
  return `${text.join("\n")}\n`;
}
