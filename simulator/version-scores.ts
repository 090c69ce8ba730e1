// What each version is worth on the test set. A version is scored once, whenever it is asked for first: with a given
// test set that is when it appears, since the training threads have little to do while messages travel.

import { sharedFloats } from "../device/examples/batch.js";
import type { ModelVersion } from "../server/model/registry.js";
import type { ModelDefinition } from "../shared/model/definition.js";
import type { MetricSums } from "../shared/model/metric.js";
import { type Judge, scoreGlobal } from "./test-set.js";

type DefinitionOf = (arm: string | undefined) => ModelDefinition;

/** Scores by version number. */
export class VersionScores {
  readonly judge: Judge;
  readonly #scores = new Map<number, Promise<MetricSums>>();
  // One version at a time: training waits behind a few parts of it at most.
  #last: Promise<unknown> = Promise.resolve();
  /** Params under way, where all threads read them: one array for all versions, since V8 does not count what is shared. */
  #shared: Float32Array | undefined;
  readonly #definitionOf: DefinitionOf;

  /** `definitionOf`: the model that a candidate's versions are of, for a task that has some. */
  constructor(judge: Judge, definitionOf: DefinitionOf = () => judge.definition) {
    this.judge = judge;
    this.#definitionOf = definitionOf;
  }

  /** The sums of a version over the whole test set. */
  of({ manifest, params }: ModelVersion): Promise<MetricSums> {
    const known = this.#scores.get(manifest.version);
    if (known !== undefined) return known;
    const score = this.#last.then(() => {
      if (this.#shared?.length !== params.length) this.#shared = sharedFloats(params.length);
      this.#shared.set(params);
      return scoreGlobal({ ...this.judge, definition: this.#definitionOf(manifest.arm) }, this.#shared);
    });
    this.#scores.set(manifest.version, score);
    // Whoever wants the score hears of a failure.
    this.#last = score.catch(() => undefined);
    return score;
  }
}
