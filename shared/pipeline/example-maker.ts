// From labelled rows to examples that know their side.

import type { Counters } from "../counters.js";
import type { RowsSpec } from "../task/task.js";
import type { Labelled } from "./labels.js";
import { splitOf } from "./split.js";
import type { Saved, Stateful } from "./state.js";
import type { Example } from "./types.js";

/** What it is made from. */
export interface ExampleMakerOptions {
  readonly rows: RowsSpec;
  readonly counters: Counters;
  emit(example: Example): void;
}

/** Labelled rows to examples: thinned, then dealt to their side. */
export class ExampleMaker implements Stateful {
  readonly #options: ExampleMakerOptions;
  #slot = Number.NEGATIVE_INFINITY;

  constructor(options: ExampleMakerOptions) {
    this.#options = options;
  }

  push({ row, label, persistence, untilMs }: Labelled): void {
    const { rows, counters, emit } = this.#options;
    const { everyMs, split: spec } = rows;
    // The first of each stretch of event time, so that no example depends on when we began to count.
    const slot = everyMs === undefined ? row.timeMs : Math.floor(row.timeMs / everyMs);
    if (slot === this.#slot) {
      counters.add("examples.thinned");
      return;
    }
    this.#slot = slot;
    const { entity, timeMs, features, test } = row;
    const split = splitOf(spec, { entity, timeMs, untilMs, test });
    if (split === "gap") counters.add("examples.gap");
    else emit({ entity, timeMs, features, test, label, persistence, split });
  }

  save(): Saved {
    return this.#slot;
  }

  restore(saved: Saved): void {
    this.#slot = Number(saved);
  }
}
