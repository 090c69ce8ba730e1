// Surveys of lines that a test writes.

import { starterTask } from "../../device/survey/starter.js";
import { type Survey, type SurveyOptions, survey } from "../../device/survey/survey.js";
import type { TempFolder } from "./temp-folder.js";

/** Surveys one file of these lines. */
export function surveyLines(
  folder: TempFolder,
  lines: readonly (string | object)[],
  options: Partial<SurveyOptions> = {},
): Promise<Survey> {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  const files = [folder.write("survey.txt", `${text}\n`)];
  return survey({ files, format: undefined, spanMs: 3_600_000, ...options });
}

/** The task that a survey suggests. */
export function starterOf(found: Survey): string {
  return starterTask(found, { task: "starter", data: "some lines" });
}

/** So many rows, a second apart. */
export function rows<Row>(count: number, row: (i: number) => Row): Row[] {
  return Array.from({ length: count }, (_, i) => row(i));
}
