// Options of commands, parsed: what is wrong is said with what was given.

import { InvalidArgumentError } from "commander";
import { instant } from "../shared/task/schema/instant.js";
import { durationMs } from "../shared/task/units.js";

/** Parses an option that is a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= min && text.trim() !== "") return value;
    throw new InvalidArgumentError(`expected a whole number of at least ${min}, got "${text}".`);
  };
}

/** Parses an option that is a duration, into ms. */
export function duration(text: string): number {
  const { success, data } = durationMs.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError(`expected a duration with its unit, such as 1s or 10m, got "${text}".`);
}

/** Parses an option that is a time as tasks write it, into ms since the Unix epoch. */
export function time(text: string): number {
  const { success, data, error } = instant.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError(`${error.issues[0]?.message ?? "expected a time"}, got "${text}".`);
}
