// How operators on signals find their vectors, and what they must know of them.

import { formatFrequency, frequencyHz } from "../../task/units.js";
import { positionOf } from "./fields.js";
import { type Field, type Input, OperatorError } from "./port.js";

type Path = readonly (string | number)[];

/** Samples a second: needed once, where a signal first comes by; later operators know it. */
export const rateParam = frequencyHz.optional().describe("Samples a second, where they are not known yet.");

/** Where the input has field `name`, which must be a vector. */
export function vectorPosition(input: Input, name: string, path: Path): number {
  const position = positionOf(input, name, path);
  if (input.fields[position]!.length > 1) return position;
  throw new OperatorError(
    path,
    `takes vectors: "${name}" is one number; a source declares its vectors under "vectors"`,
  );
}

/** Where the parameter `of` of several names leads at its i-th. */
export function pathOf(of: readonly string[], i: number): Path {
  return of.length === 1 ? ["of"] : ["of", i];
}

/** Samples a second of a vector: as known, or as the author says it here. */
export function rateOf(written: number | undefined, { name, rateHz }: Field): number {
  if (written !== undefined && rateHz !== undefined && written !== rateHz) {
    throw new OperatorError(
      ["rate"],
      `"${name}" has ${formatFrequency(rateHz)} here, not ${formatFrequency(written)}`,
    );
  }
  const rate = written ?? rateHz;
  if (rate !== undefined) return rate;
  throw new OperatorError([], `expected the samples a second of "${name}", such as rate: 3200Hz`);
}

/** Refuses a frequency that a signal of that rate cannot hold. */
export function checkBelowHalf(hz: number, rateHz: number, path: Path): void {
  if (hz <= rateHz / 2) return;
  throw new OperatorError(
    path,
    `${formatFrequency(hz)} is above half the rate, ${formatFrequency(rateHz / 2)}`,
  );
}
