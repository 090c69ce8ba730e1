// What a source calls the values of a field, as numbers.

import type { Code, SourceSpec } from "../../task/task.js";

/** The texts that a field of the source may have, in the order of their numbers; none unless they are listed. */
export function wordsOf({ text }: SourceSpec, field: string): readonly string[] {
  const rule = Object.hasOwn(text, field) ? text[field] : undefined;
  return rule?.kind === "list" ? rule.words : [];
}

/** The number behind a code; undefined for a text that the source does not list. */
export function numberOf(code: Code, words: readonly string[]): number | undefined {
  if (typeof code === "number") return code;
  const index = words.indexOf(code);
  return index < 0 ? undefined : index;
}
