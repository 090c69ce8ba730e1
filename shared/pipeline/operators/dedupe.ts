// dedupe: a row that says nothing new is not passed on.

import { z } from "zod";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads, fieldNames, numberPositions } from "./fields.js";
import { type Input, RowStep, type StepContext, type StepOperator } from "./port.js";

const params = z.strictObject({
  of: fieldNames,
  within: durationMs.describe("After so long an unchanged row passes again."),
});

type Params = z.output<typeof params>;

/**
 * A row whose fields `of` are all as in the last row that passed, less than `within` before, is dropped and counted as
 * `dedupe.unchanged`. Missing equals missing. (Telegraf's dedup; readings sent twice are the source's `dedupe`.)
 */
export const dedupe: StepOperator<Params> = {
  name: "dedupe",
  doc: "Rows whose fields have not changed since the last one that passed are dropped, for so long: {of: field or fields, within: 10m}.",
  example: { params: { of: ["state"], within: "10m" } },
  params,
  reads: ({ of }, wanted) => alsoReads(wanted, of),
  output({ of }, input): Input {
    numberPositions(of, input);
    return { fields: input.fields, spacingMs: undefined };
  },
  create: ({ of, within }, input, context) => new Dedupe(numberPositions(of, input), within, context),
  cost: ({ of }) => ({ stateBytes: 8 * (of.length + 1), warmUpMs: 0, warmUpRows: 1 }),
};

class Dedupe extends RowStep {
  readonly #positions: readonly number[];
  readonly #withinMs: number;
  readonly #context: StepContext;
  // Of the last row that passed.
  #values: readonly Value[] = [];
  #timeMs = Number.NEGATIVE_INFINITY;

  constructor(positions: readonly number[], withinMs: number, context: StepContext) {
    super();
    this.#positions = positions;
    this.#withinMs = withinMs;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    const values = this.#positions.map((position) => row.values[position]!);
    if (row.timeMs - this.#timeMs < this.#withinMs && values.every((value, i) => value === this.#values[i])) {
      this.#context.counters.add("dedupe.unchanged");
      return;
    }
    this.#values = values;
    this.#timeMs = row.timeMs;
    this.#context.emit(row);
  }

  override save(): Saved {
    return { values: this.#values, timeMs: this.#timeMs };
  }

  override restore(saved: Saved): void {
    const { values, timeMs } = saved as { values: readonly Value[]; timeMs: number }; // as `save` made it
    this.#values = values;
    this.#timeMs = timeMs;
  }
}
