// `headwater quickstart`, which is also `npm start`: a fleet of pumps learns together, in virtual time.

import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { defaultEngine } from "../shared/model/engine.js";
import { printReport, simulateWithProgress, wholeNumber } from "./simulate.js";
import { loadTaskFile } from "./task-file.js";

// Below the package's own folder, so that it is found from anywhere.
const PUMPS = "examples/pumps/task.yaml";

interface Options {
  readonly task?: string;
  readonly data?: string;
  readonly seed: number;
  readonly json?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("quickstart")
    .description("watch a fleet of pumps learn together (nothing else is needed)")
    .option("--task <file>", "another task instead of the pumps")
    .option("--data <dir>", "folder with that task's dataset (default: HEADWATER_DATA)")
    .option("--seed <n>", "root of all chance", wholeNumber(0), 1)
    .option("--json", "print one JSON object")
    .action((options: Options) => run(options));
}

async function run({ task, data, seed, json }: Options): Promise<void> {
  if (json === undefined && task === undefined) process.stdout.write(INTRODUCTION);
  const report = await simulateWithProgress({
    task: loadTaskFile(task ?? fileURLToPath(new URL(PUMPS, packageRoot()))),
    folder: data ?? process.env.HEADWATER_DATA,
    devices: undefined,
    rounds: undefined,
    seed: String(seed),
    engine: defaultEngine,
    workers: undefined,
    local: true,
  });
  printReport(report, json ?? false);
  if (json === undefined) process.stdout.write(nextSteps(report.predictions));
}

function packageRoot(): URL {
  return new URL(".", import.meta.resolve("headwater/package.json"));
}

const INTRODUCTION = `Eight pumps stream temperature, vibration and load. Each learns to forecast its bearing temperature one
hour ahead from its own short history; only model updates travel. The fleet learns together, in virtual time.

`;

function nextSteps(predictions: number): string {
  const made = `\nThe devices made ${predictions} predictions on live telemetry with the versions the server let through.\n`;
  return `${predictions > 0 ? made : ""}
Next:
  npx headwater simulate examples/pumps/task.yaml --seed 2 --report report.html
  npx headwater plan examples/pumps/task.yaml
  the examples with real data: examples/air-quality, examples/turbofan, examples/mnist
`;
}
