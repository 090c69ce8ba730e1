// From rows to the model's input columns.

import type { Counters } from "../counters.js";
import type { FeatureStage, Layout } from "./layout.js";
import type { FeatureComputer, FeatureState } from "./operators/port.js";
import type { Saved, Stateful } from "./state.js";
import type { FeatureRow, PipelineRow } from "./types.js";

/**
 * Rows to features; a row without all of them gives none, and is counted by the reason. Where missing values have
 * indicators, only rows that are warming up or unobserved give none.
 */
export class FeatureMaker implements Stateful {
  readonly #computers: readonly { readonly computer: FeatureComputer; readonly offset: number }[];
  readonly #counters: Counters;
  readonly #width: number;
  readonly #masked: readonly number[];
  // Handed out when complete, used again when not.
  #buffer: Float32Array | undefined;

  constructor({ features, input, columns, masked }: Layout, counters: Counters) {
    this.#computers = features.map(({ operator, params, offset }: FeatureStage) => ({
      computer: operator.create(params, input, counters),
      offset,
    }));
    this.#counters = counters;
    this.#width = columns.length;
    this.#masked = masked;
  }

  push(row: PipelineRow): FeatureRow | undefined {
    const features = this.#buffer ?? new Float32Array(this.#width);
    const state = this.#compute(row, features);
    if (state === "missing" && this.#masked.length > 0) this.#counters.add("features.masked");
    else if (state !== "complete") {
      this.#buffer = features;
      this.#counters.add(`features.${state}`);
      return undefined;
    }
    this.#buffer = undefined;
    this.#mask(features);
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

  // Computers write NaN for what is missing.
  #mask(features: Float32Array): void {
    const first = this.#width - this.#masked.length;
    for (let i = 0; i < this.#masked.length; i++) {
      const column = this.#masked[i]!;
      const isMissing = Number.isNaN(features[column]!);
      features[first + i] = isMissing ? 1 : 0;
      if (isMissing) features[column] = 0;
    }
  }

  // Every computer sees every row, though one reason is enough: the one that explains most.
  #compute(row: PipelineRow, features: Float32Array): FeatureState {
    let worst: FeatureState = "complete";
    for (const { computer, offset } of this.#computers) {
      const state = computer.push(row, features, offset);
      if (gravity[state] > gravity[worst]) worst = state;
    }
    return worst;
  }
}

const gravity: Readonly<Record<FeatureState, number>> = {
  complete: 0,
  missing: 1,
  unobserved: 2,
  "warming-up": 3,
};
