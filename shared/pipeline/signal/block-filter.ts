// A causal filter over the blocks of one stream.

import type { Counters } from "../../counters.js";
import type { Saved, Stateful } from "../state.js";
import type { Section } from "./butterworth.js";
import { Cascade } from "./cascade.js";
import { Continuity, type StreamOptions } from "./continuity.js";
import { Memo } from "./memo.js";

/** What a filter is made from. */
export interface BlockFilterOptions {
  readonly sections: readonly Section[];
  readonly stream: StreamOptions;
  readonly counters: Counters;
  /** Counts gaps: behind each, the filter starts anew. */
  readonly gapCounter: string;
}

const MAX_SHARED = 64;

const workspaces = new Memo<Float64Array>(MAX_SHARED);

/** Goes on from block to block as if there were none; starts anew where samples are missing in between. */
export class BlockFilter implements Stateful {
  readonly #cascade: Cascade;
  readonly #continuity: Continuity;
  readonly #counters: Counters;
  readonly #gapCounter: string;
  readonly #workspace: Float64Array;

  constructor({ sections, stream, counters, gapCounter }: BlockFilterOptions) {
    this.#cascade = new Cascade(sections);
    this.#continuity = new Continuity(stream);
    this.#counters = counters;
    this.#gapCounter = gapCounter;
    this.#workspace = workspaces.get(`${stream.length}`, () => new Float64Array(stream.length));
  }

  /** The filtered block, in a workspace: to be copied at once. */
  run(block: Float32Array, timeMs: number): Float64Array {
    if (this.#continuity.take(timeMs) === "gap") {
      this.#counters.add(this.#gapCounter);
      this.#cascade.reset();
    }
    this.#workspace.set(block);
    this.#cascade.run(this.#workspace);
    return this.#workspace;
  }

  save(): Saved {
    const saved: SavedFilter = { cascade: this.#cascade.save(), continuity: this.#continuity.save() };
    return saved;
  }

  restore(saved: Saved): void {
    const { cascade, continuity } = saved as SavedFilter; // as `save` made it
    this.#cascade.restore(cascade);
    this.#continuity.restore(continuity);
  }
}

interface SavedFilter {
  readonly cascade: Saved;
  readonly continuity: Saved;
}
