// What may be a label at all.

import type { Counters } from "../../counters.js";
import type { OutputSpec } from "../../task/task.js";
import type { PipelineRow } from "../types.js";

/** How many classes the output tells apart; undefined: it is a number. */
export function classesOf(output: OutputSpec): number | undefined {
  if (output.kind === "binary") return 2;
  return output.kind === "classification" ? output.classes : undefined;
}

/** True unless the output tells classes apart and `value` is none of them. */
export function fitsOutput(value: number, output: OutputSpec): boolean {
  const classes = classesOf(output);
  return classes === undefined || (Number.isInteger(value) && value >= 0 && value < classes);
}

/** Reads labels off rows. */
export class Target {
  readonly #position: number;
  readonly #output: OutputSpec;
  readonly #counters: Counters;

  constructor(
    position: number,
    { output, counters }: { readonly output: OutputSpec; readonly counters: Counters },
  ) {
    this.#position = position;
    this.#output = output;
    this.#counters = counters;
  }

  /** The field's value, measured or filled, or null. */
  value(row: PipelineRow): number | null {
    const value = row.values[this.#position];
    return typeof value === "number" ? value : null;
  }

  /** The label that `row` gives, or undefined (counted). */
  label(row: PipelineRow): number | undefined {
    const value = this.value(row);
    if (value === null) return this.#refuse("labels.missing");
    if (row.filled?.[this.#position] === true) return this.#refuse("labels.filled");
    if (!fitsOutput(value, this.#output)) return this.#refuse("labels.not-a-class");
    return value;
  }

  #refuse(reason: string): undefined {
    this.#counters.add(reason);
    return undefined;
  }
}
