// The models of one runtime: built once each, disposed together.

import { assert } from "../assert.js";
import type { Model } from "./runtime.js";

/** By a key that says what was built. As many as there are tasks in this process: a handful. */
export class BuiltModels {
  readonly #models = new Map<string, Promise<Model>>();
  #isDisposed = false;

  /** The model of `key`, built on first use and then kept; one that could not be built is tried again. */
  get(key: string, build: () => Promise<Model>): Promise<Model> {
    assert(!this.#isDisposed, "a disposed runtime builds no models");
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    const model = build();
    this.#models.set(key, model);
    model.catch(() => this.#models.delete(key));
    return model;
  }

  /** Disposes all, those still being built too. False when that has been done before. */
  dispose(): boolean {
    if (this.#isDisposed) return false;
    this.#isDisposed = true;
    for (const model of this.#models.values())
      model.then(
        (built) => built.dispose(),
        () => undefined,
      );
    this.#models.clear();
    return true;
  }
}
