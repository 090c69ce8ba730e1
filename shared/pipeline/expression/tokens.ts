// An expression's text as numbers, names and signs.

/** One piece of an expression; `at` counts its characters from 1. */
export type Token =
  | { readonly kind: "number"; readonly at: number; readonly text: string; readonly value: number }
  | { readonly kind: "name" | "sign"; readonly at: number; readonly text: string }
  | { readonly kind: "end"; readonly at: number; readonly text: "" };

/** Something in an expression that cannot be understood: the author's fault. */
export class ExpressionError extends Error {
  /** Which character, counted from 1. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(`character ${at}: ${message}`);
    this.name = "ExpressionError";
    this.at = at;
  }
}

/** Longest expression, in characters. */
export const MAX_LENGTH = 1_000;

// Sticky: each is tried at one place only, so the time grows with the length and no faster.
const SPACE = /\s+/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*/y;
const SIGN = /<=|>=|==|!=|[-+*/^(),<>]/y;

/** The tokens of `text`, the last one `end`. Throws `ExpressionError`. */
export function tokenize(text: string): readonly Token[] {
  if (text.length > MAX_LENGTH) {
    throw new ExpressionError(MAX_LENGTH + 1, `longer than ${MAX_LENGTH} characters`);
  }
  const tokens: Token[] = [];
  let index = 0;
  while (index < text.length) {
    const space = match(SPACE, text, index);
    if (space === undefined) tokens.push(tokenAt(text, index));
    index += (space ?? tokens.at(-1)!.text).length;
  }
  return [...tokens, { kind: "end", at: text.length + 1, text: "" }];
}

function tokenAt(text: string, index: number): Token {
  const at = index + 1;
  const number = match(NUMBER, text, index);
  if (number !== undefined) return { kind: "number", at, text: number, value: finite(number, at) };
  const name = match(NAME, text, index);
  if (name !== undefined) return { kind: "name", at, text: name };
  const sign = match(SIGN, text, index);
  if (sign !== undefined) return { kind: "sign", at, text: sign };
  throw new ExpressionError(at, unknownSign(text, index));
}

function finite(text: string, at: number): number {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new ExpressionError(at, `${text} is too large for a number`);
}

function unknownSign(text: string, index: number): string {
  const character = String.fromCodePoint(text.codePointAt(index)!);
  if (character === "=") return 'a single "=" means nothing; did you mean "=="?';
  return `"${character}" means nothing here`;
}

function match(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}
