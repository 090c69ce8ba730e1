// The newest row of features of each entity: what a prediction for it is made from when somebody asks.

import { Lru } from "../../shared/lru.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";

/** Most bytes of rows. */
const BYTES_MAX = 4 * 1024 * 1024;
/** Of a row beside its features: objects, entity, place in the map. */
const ROW_BYTES = 256;
const ENTITIES_MAX = 10_000;

/** As many entities as there is room for; the one heard of longest ago makes room. */
export class OnlineRows {
  readonly #rows: Lru<string, FeatureRow>;

  constructor(columns: number) {
    const room = Math.floor(BYTES_MAX / (columns * Float32Array.BYTES_PER_ELEMENT + ROW_BYTES));
    this.#rows = new Lru(Math.max(1, Math.min(ENTITIES_MAX, room)));
  }

  /** Takes a row; one of an earlier time than the entity's newest only counts as a sign of life. */
  add(row: FeatureRow): void {
    const newest = this.#rows.get(row.entity);
    if (newest === undefined || row.timeMs >= newest.timeMs) this.#rows.set(row.entity, row);
  }

  of(entity: string): FeatureRow | undefined {
    return this.#rows.get(entity);
  }
}
