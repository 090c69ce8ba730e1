// What a caller did wrong, or what stands in the way of an answer: a value with a status code, never an exception.

/** Why there is no answer. */
export interface Problem {
  /** HTTP status. */
  readonly code: 400 | 404 | 413 | 415 | 422 | 429 | 500 | 503;
  /** A stable word, for counters. */
  readonly reason: string;
  readonly message: string;
  /** When it is worth trying again. */
  readonly retryMs?: number;
}

/** An answer, or why there is none. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export function answered<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function failed(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem };
}

/** The caller's request cannot be understood. */
export function malformed(message: string): { readonly ok: false; readonly problem: Problem } {
  return failed({ code: 400, reason: "malformed", message });
}
