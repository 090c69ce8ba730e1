// Sliding windows (t - over, t]: one row for each row that comes in.

import type { Saved } from "../../state.js";
import type { PipelineRow, Value } from "../../types.js";
import { RowStep, type StepContext } from "../port.js";
import { SlidingFields } from "../sliding-fields.js";
import type { WindowOutput } from "./output.js";
import type { PaneShape } from "./pane.js";

/** Exact, whatever is asked. A row is named by its own time and holds what came before it, itself included. */
export class SlidingWindows extends RowStep {
  readonly #overMs: number;
  readonly #shape: PaneShape;
  readonly #output: WindowOutput;
  readonly #emit: StepContext["emit"];
  readonly #window: SlidingFields;

  constructor(overMs: number, shape: PaneShape, output: WindowOutput, { emit, counters }: StepContext) {
    super();
    this.#overMs = overMs;
    this.#shape = shape;
    this.#output = output;
    this.#emit = emit;
    this.#window = new SlidingFields({
      columns: shape.columns,
      extent: { kind: "time", ms: overMs },
      counters,
      fullKey: "window.history-full",
    });
  }

  push(row: PipelineRow): void {
    this.#window.push(row);
    if (!this.#output.covers(this.#window.rows, this.#overMs)) return;
    const values: Value[] = [];
    this.#window.fields.forEach((field, column) => {
      field.update();
      for (const statistic of this.#shape.columns[column]!.statistics) values.push(field.get(statistic));
    });
    this.#emit({ ...row, values, filled: undefined });
  }

  override save(): Saved {
    return this.#window.save();
  }

  override restore(saved: Saved): void {
    this.#window.restore(saved);
  }
}
