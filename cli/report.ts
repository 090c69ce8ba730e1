// `headwater report`: what a server's federation has come to, as a page for people or an object for programs.

import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { collectReport } from "../server/report/collect.js";
import { renderRunReport } from "../server/report/page.js";
import { systemClock } from "../shared/clock.js";
import { HeadwaterError, messageOf } from "../shared/error.js";

interface Options {
  readonly data: string;
  readonly out: string;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("report")
    .description("write a report of a server's run; the server may be running")
    .requiredOption("--data <dir>", "the server's data folder")
    .requiredOption("--out <file>", "an .html page, or a .json object")
    .action((options: Options) => run(options));
}

function run({ data, out }: Options): void {
  const isJson = out.endsWith(".json");
  if (!isJson && !out.endsWith(".html")) {
    throw new HeadwaterError("config-invalid", `--out ${out}: a report is an .html or a .json file`);
  }
  const report = collectReport(data, systemClock.now());
  try {
    writeFileSync(out, isJson ? `${JSON.stringify(report, null, 2)}\n` : renderRunReport(report));
  } catch (cause) {
    throw new HeadwaterError("storage-failed", `cannot write the report ${out}: ${messageOf(cause)}`, {
      cause,
    });
  }
  process.stdout.write(`${out}\n`);
}
