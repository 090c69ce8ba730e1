// `headwater simulate TASK`: a fleet in virtual time on real or generated data.

import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../shared/clock.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { createLogger } from "../shared/log.js";
import type { EngineChoice } from "../shared/model/runtime.js";
import { EventWriter } from "../shared/tensorboard/writer.js";
import { startLiveFleet } from "../simulator/live/live.js";
import type { SimulationReport } from "../simulator/report.js";
import { renderReport } from "../simulator/report-html.js";
import { type SimulateOptions, simulate } from "../simulator/simulate.js";
import { wholeNumber } from "./argument.js";
import { engineOption } from "./plan.js";
import { createProgressView } from "./progress.js";
import { describeReport } from "./report-table.js";
import { loadTaskFile } from "./task-file.js";

interface Options {
  readonly devices?: number;
  readonly rounds?: number;
  readonly seed: number;
  readonly data?: string;
  readonly local: boolean;
  readonly poisonRetraining?: true;
  readonly live?: true;
  readonly engine: EngineChoice;
  readonly workers?: number;
  readonly report?: string;
  readonly tensorboard?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("simulate")
    .description("run a task's federation in virtual time and compare it with local-only and naive")
    .argument("<task>", "task file (YAML)")
    .option("--devices <n>", "how many devices (default: what the task or its data says)", wholeNumber(1))
    .option("--rounds <n>", "train rounds (default: the task's)", wholeNumber(1))
    .option("--seed <n>", "root of all chance", wholeNumber(0), 1)
    .option("--data <dir>", "folder with the dataset (default: HEADWATER_DATA)")
    .option("--no-local", "leave out training every device alone")
    .option("--live", "in real time, over real brokers on this machine")
    .option("--poison-retraining", "have three devices in eight turn on the fleet once it learns anew")
    .addOption(engineOption())
    .option(
      "--workers <n>",
      "training threads (default: one per core); results do not depend on it",
      wholeNumber(1),
    )
    .option("--report <file>", "write a self-contained HTML page")
    .option("--tensorboard <dir>", "write the rounds as event files for TensorBoard there")
    .option("--verbose", "log what the parties do on standard error")
    .option("--json", "print one JSON object")
    .action((path: string, options: Options) => run(path, options));
}

async function run(path: string, options: Options): Promise<void> {
  if (options.report !== undefined) checkFolder(options.report);
  // Opened before the work is done, too.
  const curves = options.tensorboard === undefined ? undefined : await openCurves(options.tensorboard);
  const runWithProgress = options.live ? liveWithProgress : simulateWithProgress;
  const report = await runWithProgress({
    task: loadTaskFile(path),
    folder: options.data ?? process.env.HEADWATER_DATA,
    devices: options.devices,
    rounds: options.rounds,
    seed: String(options.seed),
    engine: options.engine,
    workers: options.workers,
    local: options.local,
    poison: options.poisonRetraining ?? false,
    ...(options.verbose ? { logger: createLogger("info") } : {}),
  });
  printReport(report, options.json ?? false);
  if (options.report !== undefined) writePage(options.report, report);
  if (curves !== undefined) await writeCurves(curves, report);
}

function openCurves(folder: string): Promise<EventWriter> {
  const counters = new Counters();
  return EventWriter.open({ folder, clock: systemClock, logger: createLogger("warn"), counters });
}

// Written when all is known: a simulation's rounds are scored on the test set at its end.
async function writeCurves(writer: EventWriter, { metric, rounds }: SimulationReport): Promise<void> {
  for (const { round, value, accepted, rejected, bytesUp, bytesDown } of rounds) {
    writer.add(round, {
      [`test/${metric}`]: value ?? undefined,
      ...{ "train/participants": accepted, "train/rejected": rejected },
      ...{ "train/bytes_up": bytesUp, "train/bytes_down": bytesDown },
    });
  }
  await writer.close();
}

// Asked before the work is done, so that a slip of the pen does not cost an hour of it.
function checkFolder(file: string): void {
  const folder = dirname(resolve(file));
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  throw new HeadwaterError("storage-failed", `--report ${file}: the folder ${folder} is not there`);
}

function writePage(file: string, report: SimulationReport): void {
  try {
    writeFileSync(file, renderReport(report));
  } catch (cause) {
    throw new HeadwaterError("storage-failed", `cannot write the report ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Runs a simulation with its progress on standard error. */
export async function simulateWithProgress(options: SimulateOptions): Promise<SimulationReport> {
  const view = createProgressView();
  try {
    return await simulate({ ...options, onProgress: (progress) => view.onProgress(progress) });
  } finally {
    view.stop();
  }
}

/** As `simulate`, in real time; the fleet is stopped when it has ended. */
async function liveWithProgress(options: SimulateOptions): Promise<SimulationReport> {
  const view = createProgressView();
  try {
    const fleet = await startLiveFleet({ ...options, onProgress: (progress) => view.onProgress(progress) });
    await fleet.stop();
    return fleet.report;
  } finally {
    view.stop();
  }
}

/** The report on standard output: one JSON object, or a table. */
export function printReport(report: SimulationReport, asJson: boolean): void {
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : describeReport(report));
}
