#!/usr/bin/env node
// The only process entry: one file per command, and the one place where a failure becomes an exit code.

import { Command, CommanderError } from "commander";
import { type ErrorCode, HeadwaterError } from "../shared/error.js";
import { headwaterVersion } from "../shared/version.js";
import { showExamples } from "./help-examples.js";
import { keepHeapSmall } from "./small-heap.js";

/** What a failure says to whoever started us: a supervisor tries again after 1, and has no reason to after the rest. */
const FAILED = 1;
const ASKED_WRONGLY = 2;
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  "task-invalid": ASKED_WRONGLY,
  "config-invalid": ASKED_WRONGLY,
  "folder-locked": 3,
  "address-unusable": 4,
};

interface CommandFile {
  register(program: Command): void;
}

/** In the order of the help text. A device has no memory to spare for what servers and simulations need. */
const commands: Readonly<Record<string, () => Promise<CommandFile>>> = {
  quickstart: () => import("./quickstart.js"),
  server: () => import("./server.js"),
  status: () => import("./status.js"),
  report: () => import("./report.js"),
  enrol: () => import("./enrol.js"),
  async device() {
    keepHeapSmall();
    return import("./device.js");
  },
  data: () => import("./data.js"),
  predict: () => import("./predict.js"),
  model: () => import("./model.js"),
  replay: () => import("./replay.js"),
  simulate: () => import("./simulate.js"),
  plan: () => import("./plan.js"),
  pipeline: () => import("./pipeline.js"),
  why: () => import("./why.js"),
  schema: () => import("./schema.js"),
};

const program = new Command("headwater")
  .description("Federated learning where the data begins.")
  .version(headwaterVersion())
  .exitOverride()
  .showSuggestionAfterError();
for (const load of commandsAskedFor(process.argv[2])) (await load()).register(program);
showExamples(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** The one command of that name; all of them for the help text, or to suggest another. */
function commandsAskedFor(name: string | undefined): readonly (() => Promise<CommandFile>)[] {
  return name !== undefined && Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
}

/** Says what went wrong on standard error, unless commander already did, and answers the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ASKED_WRONGLY;
  if (error instanceof HeadwaterError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT_CODES[error.code] ?? FAILED;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return FAILED;
}
