// From rows to the model's input columns.

import type { Counters } from "../counters.js";
import type { FeatureStage, Layout } from "./layout.js";
import type { FeatureComputer, FeatureState } from "./operators/port.js";
import type { Saved, Stateful } from "./state.js";
import type { FeatureRow, PipelineRow } from "./types.js";

/** Rows to features; a row without all of them gives none, and is counted by the reason. */
export class FeatureMaker implements Stateful {
  readonly #computers: readonly { readonly computer: FeatureComputer; readonly offset: number }[];
  readonly #counters: Counters;
  readonly #width: number;
  // Handed out when complete, used again when not.
  #buffer: Float32Array | undefined;

  constructor({ features, input, columns }: Layout, counters: Counters) {
    this.#computers = features.map(({ operator, params, offset }: FeatureStage) => ({
      computer: operator.create(params, input, counters),
      offset,
    }));
    this.#counters = counters;
    this.#width = columns.length;
  }

  push(row: PipelineRow): FeatureRow | undefined {
    const features = this.#buffer ?? new Float32Array(this.#width);
    const state = this.#compute(row, features);
    if (state !== "complete") {
      this.#buffer = features;
      this.#counters.add(`features.${state}`);
      return undefined;
    }
    this.#buffer = undefined;
    return { entity: row.entity, timeMs: row.timeMs, features, test: row.test };
  }

  save(): Saved {
    return this.#computers.map(({ computer }) => computer.save());
  }

  restore(saved: Saved): void {
    const states = saved as readonly Saved[]; // as `save` made it
    this.#computers.forEach(({ computer }, i) => {
      computer.restore(states[i]);
    });
  }

  // Every computer sees every row, though one reason is enough: warming up explains more than a gap.
  #compute(row: PipelineRow, features: Float32Array): FeatureState {
    let worst: FeatureState = "complete";
    for (const { computer, offset } of this.#computers) {
      const state = computer.push(row, features, offset);
      if (state === "complete") continue;
      if (worst === "complete" || state === "warming-up") worst = state;
    }
    return worst;
  }
}
