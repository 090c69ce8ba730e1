// From labelled rows to examples that know their side.

import type { Counters } from "../counters.js";
import type { RowsSpec } from "../task/task.js";
import type { Labelled } from "./labels/labeller.js";
import { Sessions } from "./sessions.js";
import { splitOf } from "./split.js";
import type { Saved, Stateful } from "./state.js";
import type { Example, PipelineRow } from "./types.js";

/** What it is made from. */
export interface ExampleMakerOptions {
  readonly rows: RowsSpec;
  readonly counters: Counters;
  emit(example: Example): void;
}

/** Labelled rows to examples: thinned, then dealt to their side. */
export class ExampleMaker implements Stateful {
  readonly #options: ExampleMakerOptions;
  /** Only where the split asks for them. */
  readonly #sessions: Sessions | undefined;
  #slot = Number.NEGATIVE_INFINITY;

  constructor(options: ExampleMakerOptions) {
    this.#options = options;
    const { test } = options.rows.split;
    this.#sessions = test.kind === "session" ? new Sessions(test.pauseMs) : undefined;
  }

  /** Sees every row as it comes, long before its label perhaps. */
  see(row: PipelineRow): void {
    this.#sessions?.see(row.timeMs);
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
    const sessionMs = this.#sessions?.startOf(timeMs) ?? timeMs;
    const split = splitOf(spec, { entity, timeMs, untilMs, sessionMs, test });
    if (split === "gap") counters.add("examples.gap");
    else emit({ entity, timeMs, features, test, ...unsignedZeros({ label, persistence }), split });
  }

  save(): Saved {
    return { slot: this.#slot, sessions: this.#sessions?.save() };
  }

  restore(saved: Saved): void {
    const { slot, sessions } = saved as { readonly slot: number; readonly sessions: Saved }; // as `save` made it
    this.#slot = slot;
    this.#sessions?.restore(sessions);
  }
}

/** SQLite stores a real without fraction as an integer (Datatypes, section 3), and so does not keep the sign of -0. */
function unsignedZeros({ label, persistence }: Pick<Example, "label" | "persistence">) {
  return { label: label === 0 ? 0 : label, persistence: persistence === 0 ? 0 : persistence };
}
