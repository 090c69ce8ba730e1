// `headwater pipeline run` and `headwater pipeline infer`: from files of raw messages to features, and to a first task.

import { type Command, InvalidArgumentError, Option } from "commander";
import { rowFormats } from "../device/offline/row-format.js";
import { surveyFormats } from "../device/survey/sniff.js";
import { parseTaskId } from "../shared/id.js";
import { wholeNumber } from "./argument.js";
import { addDataOptions, arrivalOption } from "./data-options.js";
import { type InferOptions, inferTask } from "./pipeline-infer.js";
import { type RunOptions, runPipeline } from "./pipeline-run.js";

/** Adds the commands. */
export function register(program: Command): void {
  const pipeline = program
    .command("pipeline")
    .description("run a task's pipeline over files, or let files suggest a task");
  registerRun(pipeline);
  registerInfer(pipeline);
}

function registerRun(pipeline: Command): void {
  const run = pipeline
    .command("run")
    .description("raw messages, one a line, through a task's decoders and pipeline; features come out")
    .argument("<task>", "task file (YAML)")
    .requiredOption(
      "--data <file...>",
      "[SOURCE=]FILE with a message a line; .gz is unpacked, - is the standard input",
    );
  addDataOptions(run)
    .addOption(arrivalOption("--from <time>"))
    .option("--examples", "labelled rows, with their label and split, instead of all features", false)
    .addOption(new Option("--format <name>", "how rows are written").choices(rowFormats).default("csv"))
    .option("--out <file>", "write rows there; the summary then goes to the standard output")
    .option("--json", "print the summary as one JSON object", false)
    .action((path: string, options: RunOptions) => runPipeline(path, options));
}

function registerInfer(pipeline: Command): void {
  pipeline
    .command("infer")
    .description("print a first task for data: fields, time, entity, spacing, checks and a label, guessed")
    .requiredOption(
      "--data <file...>",
      "FILE with a message a line; .gz is unpacked, - is the standard input",
    )
    .addOption(
      new Option("--decode <name>", "format of the messages (default: told by the first lines)").choices(
        surveyFormats,
      ),
    )
    .option("--minutes <n>", "look at this much event time, and at 1000 rows at least", wholeNumber(1), 60)
    .option("--task <name>", "what to call the task", taskId, "starter")
    .action((options: InferOptions) => inferTask(options));
}

function taskId(text: string): string {
  const id = /^[A-Za-z]/.test(text) ? parseTaskId(text) : undefined;
  if (id !== undefined) return id;
  throw new InvalidArgumentError(
    `expected a name of letters, digits, _ and -, such as boiler, got "${text}".`,
  );
}
