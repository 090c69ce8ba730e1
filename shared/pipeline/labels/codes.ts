// What a source calls the values of a field, as numbers.

import type { Code } from "../../task/task.js";

/** What of a source says how its texts become numbers. */
interface TextSource {
  readonly decode: unknown;
  readonly text?: Readonly<Record<string, { readonly kind: string; readonly words?: readonly string[] }>>;
}

/** The texts that a field of the source may have, in the order of their numbers; none unless they are listed. */
export function wordsOf({ text = {} }: TextSource, field: string): readonly string[] {
  return Object.hasOwn(text, field) ? (text[field]?.words ?? []) : [];
}

/** The number behind a code; undefined for a text that the source does not list. */
export function numberOf(code: Code, words: readonly string[]): number | undefined {
  if (typeof code === "number") return code;
  const index = words.indexOf(code);
  return index < 0 ? undefined : index;
}
