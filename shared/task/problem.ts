// What is wrong with a task: one line per problem, each with its place, what was expected and what was found.

import { z } from "zod";
import { didYouMean } from "./suggest.js";

/** Keys and indices from the top of the task down to the value. */
export type Path = readonly PropertyKey[];

/** One thing wrong with a task. */
export interface Problem {
  readonly path: Path;
  /** What was expected, or what is wrong. Ends without a full stop. */
  readonly message: string;
}

/** Our words for zod's issues, a line per unknown key; messages written in the schemas themselves take precedence. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "invalid_value":
      return `expected ${alternatives(issue.values.map(String))}${suggestionFor(issue.input, issue.values.map(String))}`;
    case "too_small":
      return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${countedThing(issue.origin)}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${countedThing(issue.origin)}`;
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, keysOf(issue.inst))).join("\n");
    default:
      return undefined;
  }
}

/** The problems behind zod's issues, with what was found at each place. */
export function problemsOf(error: z.ZodError, found: unknown): Problem[] {
  return flattenAll(error.issues, []).map(({ path, message, isWhole }) => ({
    path,
    message: isWhole ? message : withFound(message, valueAt(found, path)),
  }));
}

/** `rounds.deadline`, `features.list[0].copy`; a key that is no plain word is quoted. */
export function pathText(path: Path): string {
  return path.map(keyText).join("").replace(/^\./, "");
}

/** "a", "b" or "c". */
export function alternatives(names: readonly string[]): string {
  const words = names.map((name) => JSON.stringify(name));
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function keyText(key: PropertyKey): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[\w-]{1,64}$/.test(String(key)) ? `.${String(key)}` : `[${quoted(key)}]`;
}

/** JSON of `value`, cut to a length that leaves a line readable. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

interface FlatIssue extends Problem {
  /** True when the message already says what was found. */
  readonly isWhole: boolean;
}

type Issue = z.core.$ZodIssue;

// "Exactly one of ..." about a map with a misspelt key only repeats what the key's own problem says.
function flattenAll(issues: readonly Issue[], base: Path): FlatIssue[] {
  const misspelt = new Set(
    issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? [pathText(issue.path)] : [])),
  );
  return issues
    .filter((issue) => issue.code !== "custom" || !misspelt.has(pathText(issue.path)))
    .flatMap((issue) => flatten(issue, base));
}

function flatten(issue: Issue, base: Path): FlatIssue[] {
  const path = [...base, ...issue.path];
  switch (issue.code) {
    case "invalid_union": {
      const branch = likeliestBranch(issue.errors);
      if (branch !== undefined) return flattenAll(branch, path);
      return [{ path, message: issue.message, isWhole: false }];
    }
    case "unrecognized_keys":
      return issue.message
        .split("\n")
        .map((message, at) => ({ path: [...path, issue.keys[at] ?? ""], message, isWhole: true }));
    case "invalid_key":
      return [{ path, message: `bad name: ${issue.issues[0]?.message ?? issue.message}`, isWhole: true }];
    default:
      return [{ path, message: issue.message, isWhole: false }];
  }
}

// Of the shapes a value may have, the author meant the one with the fewest mistakes. A value that has
// the wrong type for every shape is better told the choices.
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some((issue) => isWrongKind(issue)));
  return fitting.toSorted((a, b) => mistakes(a) - mistakes(b))[0];
}

function isWrongKind(issue: Issue): boolean {
  const kinds = ["invalid_type", "invalid_value", "invalid_format"];
  return issue.path.length === 0 && kinds.includes(issue.code);
}

function mistakes(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

function unknownKey(key: string, known: readonly string[]): string {
  return `unknown key ${quoted(key)}${didYouMean(key, known) || ` (known: ${known.join(", ")})`}`;
}

function keysOf(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function suggestionFor(input: unknown, names: readonly string[]): string {
  return typeof input === "string" ? didYouMean(input, names) : "";
}

function countedThing(origin: string): string {
  if (origin === "array") return " entries";
  return origin === "string" ? " characters" : "";
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    root,
  );
}

function withFound(message: string, value: unknown): string {
  if (value === undefined) return `is missing: ${message}`;
  return `${message}, got ${quoted(value)}`;
}
