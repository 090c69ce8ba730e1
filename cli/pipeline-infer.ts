// `headwater pipeline infer --data FILE...`: a first task for data that nobody has described yet.

import type { SurveyFormat } from "../device/survey/sniff.js";
import { starterTask } from "../device/survey/starter.js";
import { survey } from "../device/survey/survey.js";
import { assert } from "../shared/assert.js";
import { HeadwaterError } from "../shared/error.js";
import { parseTask } from "../shared/task/parse.js";

export interface InferOptions {
  readonly data: readonly string[];
  readonly decode?: SurveyFormat;
  readonly minutes: number;
  readonly task: string;
}

const MINUTE_MS = 60_000;

/** Prints the task on standard output. */
export async function inferTask({ data, decode, minutes, task }: InferOptions): Promise<void> {
  const found = await survey({ files: data, format: decode, spanMs: minutes * MINUTE_MS });
  const yaml = starterTask(found, { task, data: data.length === 1 ? data[0]! : `${data.length} files` });
  check(yaml);
  process.stdout.write(yaml);
}

/** What is printed is a task. */
function check(yaml: string): void {
  try {
    parseTask(yaml);
  } catch (error) {
    if (!(error instanceof HeadwaterError)) throw error;
    assert(false, `the task that was guessed is one: ${error.message}`);
  }
}
