// `headwater schema`: the task file's JSON Schema, for editors that complete and check YAML.

import type { Command } from "commander";
import { taskJsonSchema } from "../shared/task/json-schema.js";

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema of task files, for editors")
    .action(() => {
      process.stdout.write(`${JSON.stringify(taskJsonSchema(), null, 2)}\n`);
    });
}
