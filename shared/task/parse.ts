// A task file, read: text -> YAML -> schema -> checks -> `Task` with its hashes. Every problem is named at once.

import { HeadwaterError } from "../error.js";
import { canonicalJson } from "./canonical.js";
import { checkTask } from "./check.js";
import { explain, type PlaceOf } from "./explain.js";
import { hashPipeline, hashTask } from "./hash.js";
import { describeIssue, type Problem, problemsOf } from "./problem.js";
import { taskSchema } from "./schema/task.js";
import type { Task } from "./task.js";
import { readYaml } from "./yaml.js";

/** A valid task, ready to run and to send. */
export interface LoadedTask {
  readonly task: Task;
  /** Canonical JSON of what the author wrote, without `simulate`: what the server signs and devices parse. */
  readonly source: string;
  /** Over all that decides what a column and a label mean. */
  readonly pipelineHash: string;
  /** Over the whole task but `simulate`. */
  readonly taskHash: string;
}

/** The largest task text, in UTF-16 units. */
export const MAX_TASK_TEXT = 1_048_576;

/** Parses YAML. Throws `task-invalid`; its message has one line per problem, in the order of the text. */
export function parseTask(yamlText: string): LoadedTask {
  checkLength(yamlText);
  const { value, placeOf } = readYaml(yamlText);
  return load(value, placeOf);
}

// Devices of one process run one task: read once, it is also in memory once.
let lastSource: { readonly text: string; readonly loaded: LoadedTask } | undefined;

/** Parses the JSON text of `LoadedTask.source`, as it came over the wire. Throws `task-invalid`. */
export function parseTaskSource(jsonText: string): LoadedTask {
  if (lastSource?.text === jsonText) return lastSource.loaded;
  checkLength(jsonText);
  const loaded = load(parseJson(jsonText), undefined);
  lastSource = { text: jsonText, loaded };
  return loaded;
}

function load(value: unknown, placeOf: PlaceOf | undefined): LoadedTask {
  const parsed = taskSchema.safeParse(value, { error: describeIssue });
  if (!parsed.success) throw invalid(problemsOf(parsed.error, value), placeOf);
  const task = parsed.data;
  const problems = checkTask(task);
  if (problems.length > 0) throw invalid(problems, placeOf);
  const source = canonicalJson({ ...(value as object), simulate: undefined }); // the schema let only an object through
  return { task, source, pipelineHash: hashPipeline(task), taskHash: hashTask(task) };
}

function invalid(problems: readonly Problem[], placeOf: PlaceOf | undefined): HeadwaterError {
  return new HeadwaterError("task-invalid", explain(problems, placeOf));
}

function checkLength(text: string): void {
  if (text.length <= MAX_TASK_TEXT) return;
  throw new HeadwaterError(
    "task-invalid",
    `the task has ${text.length} characters, above the limit ${MAX_TASK_TEXT}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HeadwaterError("task-invalid", "the task is not JSON", { cause });
  }
}
