// Labels that come with the row, and rows that need none.

import type { FieldLabel } from "../../task/task.js";
import type { Saved } from "../state.js";
import type { FeatureRow, PipelineRow } from "../types.js";
import { type LabellerOptions, RowLabeller } from "./labeller.js";
import { Target } from "./target.js";

/** Nothing waits, nothing is remembered. */
abstract class AtOnce extends RowLabeller {
  readonly pending = 0;

  flush(): void {}

  drop(): void {}

  save(): Saved {
    return null;
  }

  restore(): void {}
}

/** A field of the row itself, clamped. */
export class FieldLabeller extends AtOnce {
  readonly #min: number;
  readonly #max: number;
  readonly #target: Target;
  readonly #emit: LabellerOptions["emit"];

  constructor({ min = -Infinity, max = Infinity }: FieldLabel, position: number, options: LabellerOptions) {
    super();
    this.#min = min;
    this.#max = max;
    this.#target = new Target(position, options);
    this.#emit = options.emit;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (features === undefined) return;
    const value = this.#target.label(row);
    if (value === undefined) return;
    const label = Math.min(this.#max, Math.max(this.#min, value));
    this.#emit({ row: features, label, persistence: null, untilMs: row.timeMs });
  }
}

/** Every row with features is an example of itself. */
export class NoLabeller extends AtOnce {
  readonly #emit: LabellerOptions["emit"];

  constructor({ emit }: LabellerOptions) {
    super();
    this.#emit = emit;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (features !== undefined)
      this.#emit({ row: features, label: 0, persistence: null, untilMs: row.timeMs });
  }
}
