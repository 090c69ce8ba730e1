// From text to a tree: arithmetic, comparisons and a closed list of functions, nothing that could run.
//
//   comparison = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
//   sum        = product { ("+" | "-") product }
//   product    = unary { ("*" | "/") unary }
//   unary      = "-" unary | power
//   power      = primary [ "^" unary ]
//   primary    = number | field | function "(" comparison { "," comparison } ")" | "(" comparison ")"

import { didYouMean } from "../../task/suggest.js";
import { ExpressionError, type Token, tokenize } from "./tokens.js";

/** A parsed expression. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "field"; readonly name: string; readonly at: number }
  | { readonly kind: "negate"; readonly of: Expression }
  | {
      readonly kind: "operation";
      readonly sign: Sign;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "call"; readonly name: FunctionName; readonly inputs: readonly Expression[] };

const comparisons = ["<", "<=", ">", ">=", "==", "!="] as const;

export type Comparison = (typeof comparisons)[number];
export type Sign = Comparison | "+" | "-" | "*" | "/" | "^";

// How many inputs each function takes: at least, at most.
const arities = {
  abs: [1, 1],
  ceil: [1, 1],
  clamp: [3, 3],
  cos: [1, 1],
  exp: [1, 1],
  floor: [1, 1],
  if: [3, 3],
  log: [1, 1],
  max: [2, 16],
  min: [2, 16],
  pow: [2, 2],
  round: [1, 1],
  sin: [1, 1],
  sqrt: [1, 1],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type FunctionName = keyof typeof arities;

/** Deepest nesting. Every descent of the parser counts, so its stack is bounded. */
const MAX_DEPTH = 32;

/** The tree of `text`. Linear in its length: every token is read once. Throws `ExpressionError`. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokenize(text));
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#comparison();
    const { kind } = this.#peek();
    if (kind !== "end") throw this.#unexpected("an operator, or the end");
    return expression;
  }

  #comparison(): Expression {
    const left = this.#sum();
    const sign = this.#take(...comparisons);
    if (sign === undefined) return left;
    const right = this.#sum();
    if (this.#sees(...comparisons)) {
      throw new ExpressionError(this.#peek().at, "comparisons do not chain: write (a < b) * (b < c)");
    }
    return { kind: "operation", sign, left, right };
  }

  #sum(): Expression {
    let left = this.#product();
    for (let sign = this.#take("+", "-"); sign !== undefined; sign = this.#take("+", "-")) {
      left = { kind: "operation", sign, left, right: this.#product() };
    }
    return left;
  }

  #product(): Expression {
    let left = this.#unary();
    for (let sign = this.#take("*", "/"); sign !== undefined; sign = this.#take("*", "/")) {
      left = { kind: "operation", sign, left, right: this.#unary() };
    }
    return left;
  }

  // -x^2 is -(x^2), and 2^-1 is allowed.
  #unary(): Expression {
    if (++this.#depth > MAX_DEPTH) {
      throw new ExpressionError(this.#peek().at, `nested more than ${MAX_DEPTH} deep`);
    }
    const expression: Expression =
      this.#take("-") === undefined ? this.#power() : { kind: "negate", of: this.#unary() };
    this.#depth -= 1;
    return expression;
  }

  #power(): Expression {
    const left = this.#primary();
    if (this.#take("^") === undefined) return left;
    return { kind: "operation", sign: "^", left, right: this.#unary() };
  }

  #primary(): Expression {
    const token = this.#peek();
    switch (token.kind) {
      case "number":
        this.#next += 1;
        return { kind: "number", value: token.value };
      case "name":
        this.#next += 1;
        return this.#sees("(") ? this.#call(token) : { kind: "field", name: token.text, at: token.at };
      case "sign":
        if (this.#take("(") !== undefined) return this.#closed();
        throw this.#unexpected('a number, a field or "("');
      case "end":
        throw this.#unexpected('a number, a field or "("');
    }
  }

  #closed(): Expression {
    const expression = this.#comparison();
    if (this.#take(")") === undefined) throw this.#unexpected('an operator or ")"');
    return expression;
  }

  #call({ text, at }: Token): Expression {
    if (!isFunction(text)) throw new ExpressionError(at, unknownFunction(text));
    this.#take("(");
    const inputs = [this.#comparison()];
    while (this.#take(",") !== undefined) inputs.push(this.#comparison());
    if (this.#take(")") === undefined) throw this.#unexpected('an operator, "," or ")"');
    const [least, most] = arities[text];
    if (inputs.length >= least && inputs.length <= most) return { kind: "call", name: text, inputs };
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    throw new ExpressionError(at, `${text} takes ${expected} inputs, here are ${inputs.length}`);
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #sees(...signs: readonly string[]): boolean {
    const { kind, text } = this.#peek();
    return kind === "sign" && signs.includes(text);
  }

  #take<Wanted extends string>(...signs: readonly Wanted[]): Wanted | undefined {
    const { kind, text } = this.#peek();
    const found = kind === "sign" ? signs.find((sign) => sign === text) : undefined;
    if (found !== undefined) this.#next += 1;
    return found;
  }

  #unexpected(expected: string): ExpressionError {
    const { kind, at, text } = this.#peek();
    const found = kind === "end" ? "the end" : `"${text}"`;
    return new ExpressionError(at, `expected ${expected}, found ${found}`);
  }
}

function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(arities, name);
}

function unknownFunction(name: string): string {
  const names = Object.keys(arities);
  return `no function is called "${name}"${didYouMean(name, names) || `; there are ${names.join(", ")}`}`;
}
