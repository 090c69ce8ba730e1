// `headwater quickstart`, which is also `npm start`: a server, a fleet of devices and their telemetry, on real brokers
// on this machine.

import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { createLogger } from "../shared/log.js";
import { defaultEngine } from "../shared/model/engine.js";
import { type LiveFleet, startLiveFleet } from "../simulator/live/live.js";
import type { SimulationReport } from "../simulator/report.js";
import type { SimulateOptions } from "../simulator/simulate.js";
import { summarise } from "../simulator/summary.js";
import { wholeNumber } from "./argument.js";
import { createProgressView } from "./progress.js";
import { describeReport } from "./report-table.js";
import { simulateWithProgress } from "./simulate.js";
import { loadTaskFile } from "./task-file.js";
import { untilStopped } from "./until-stopped.js";

// Below the package's own folder, so that it is found from anywhere.
const PUMPS = "examples/pumps/task.yaml";

interface Options {
  readonly task?: string;
  readonly data?: string;
  readonly seed: number;
  readonly virtual?: true;
  readonly exit?: true;
  readonly json?: true;
  readonly verbose?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("quickstart")
    .description("watch a fleet of pumps learn together (nothing else is needed)")
    .option("--task <file>", "another task instead of the pumps")
    .option("--data <dir>", "folder with that task's dataset (default: HEADWATER_DATA)")
    .option("--seed <n>", "root of all chance", wholeNumber(0), 1)
    .option("--virtual", "in virtual time over a broker in memory: same seed, same numbers")
    .option("--exit", "end when the fleet has learned (always so without a terminal)")
    .option("--json", "print one JSON object, and end")
    .option("--verbose", "log what the parties do on standard error")
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const { task, data, seed, json, verbose, virtual } = options;
  if (json === undefined && task === undefined) process.stdout.write(introduction(virtual === true));
  const simulation: SimulateOptions = {
    task: loadTaskFile(task ?? fileURLToPath(new URL(PUMPS, packageRoot()))),
    folder: data ?? process.env.HEADWATER_DATA,
    devices: undefined,
    rounds: undefined,
    seed: String(seed),
    engine: defaultEngine,
    workers: undefined,
    local: true,
    ...(verbose ? { logger: createLogger("info") } : {}),
  };
  if (virtual) print(await simulateWithProgress(simulation), options);
  else await runLive(simulation, options);
}

async function runLive(simulation: SimulateOptions, options: Options): Promise<void> {
  const fleet = await startWithProgress(simulation);
  try {
    print(fleet.report, options);
    if (options.exit || options.json || !process.stdout.isTTY) return;
    process.stdout.write(`\nServer and devices still run. Dashboard: ${fleet.statusUrl}  (Ctrl-C ends it)\n`);
    await untilStopped();
  } finally {
    await fleet.stop();
  }
}

async function startWithProgress(simulation: SimulateOptions): Promise<LiveFleet> {
  const view = createProgressView();
  // On a terminal the bar has the line; it draws itself anew below.
  const onServing = (url: string) =>
    process.stderr.write(`${process.stderr.isTTY ? "\n" : ""}dashboard: ${url}\n`);
  try {
    return await startLiveFleet({
      ...simulation,
      onServing,
      onProgress: (progress) => view.onProgress(progress),
    });
  } finally {
    view.stop();
  }
}

function print(report: SimulationReport, { json }: Options): void {
  const text = json
    ? `${JSON.stringify(summarise(report))}\n`
    : describeReport(report) + nextSteps(report.predictions);
  process.stdout.write(text);
}

function packageRoot(): URL {
  return new URL(".", import.meta.resolve("headwater/package.json"));
}

function introduction(isVirtual: boolean): string {
  const how = isVirtual
    ? "in virtual time, over a broker in memory."
    : "as real MQTT clients: telemetry over one broker, the federation over another.";
  return `Eight pumps stream temperature, vibration and load. Each learns to forecast its bearing temperature one
hour ahead from its own short history; only model updates travel. The fleet learns together,
${how}

`;
}

function nextSteps(predictions: number): string {
  const made = `\nThe devices made ${predictions} predictions on live telemetry with the versions the server let through.\n`;
  return `${predictions > 0 ? made : ""}
Next:
  npx headwater simulate examples/pumps/task.yaml --seed 2 --report report.html
  npx headwater plan examples/pumps/task.yaml
  a server and devices of your own: docs/running.md
  the examples with real data: examples/air-quality, examples/turbofan, examples/mnist
`;
}
