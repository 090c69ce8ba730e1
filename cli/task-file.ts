// A task file named on the command line.

import { readFileSync, statSync } from "node:fs";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { type LoadedTask, MAX_TASK_TEXT, parseTask } from "../shared/task/parse.js";

/** Reads and parses `path`. Throws `task-invalid`: every line of the message says what to mend. */
export function loadTaskFile(path: string): LoadedTask {
  const text = readText(path);
  try {
    return parseTask(text);
  } catch (error) {
    if (!(error instanceof HeadwaterError)) throw error;
    throw new HeadwaterError(error.code, `${path} is not a valid task:\n${indent(error.message)}`, {
      cause: error,
    });
  }
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    // UTF-8 takes at most 3 bytes per UTF-16 unit: beyond that the text is too long for certain.
    if (size > 3 * MAX_TASK_TEXT)
      throw new Error(`it has ${size} bytes, above the limit ${3 * MAX_TASK_TEXT}`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HeadwaterError("task-invalid", `cannot read the task ${path}: ${messageOf(cause)}`, { cause });
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
