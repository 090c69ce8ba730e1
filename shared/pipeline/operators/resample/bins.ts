// What stands for several readings in one bin of a grid.

import type { Saved, Stateful } from "../../state.js";
import type { Value } from "../../types.js";

/** How the readings of a bin become one. */
export const binAggregates = ["last", "first", "mean", "sum", "min", "max", "count"] as const;

export type BinAggregate = (typeof binAggregates)[number];

/** Whether an aggregate takes vectors too. */
export function takesVectors(aggregate: string): boolean {
  return aggregate === "last" || aggregate === "first";
}

/** One bin after the other, field by field. Missing values are skipped. */
export class BinCollector implements Stateful {
  readonly #aggregate: BinAggregate;
  #held: Value[];
  #counts: number[];

  constructor(aggregate: BinAggregate, width: number) {
    this.#aggregate = aggregate;
    this.#held = new Array<Value>(width).fill(null);
    this.#counts = new Array<number>(width).fill(0);
  }

  add(values: readonly Value[]): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === null) continue;
      const held = this.#held[i]!;
      this.#held[i] = held === null ? value : this.#combined(held, value);
      this.#counts[i]! += 1;
    }
  }

  /** The bin's values, null where there was none but for a count of 0; the next bin begins. */
  finish(): Value[] {
    const values = this.#held.map((held, i) => this.#finished(held, this.#counts[i]!));
    this.#held.fill(null);
    this.#counts.fill(0);
    return values;
  }

  save(): Saved {
    const saved: SavedBin = { held: this.#held, counts: this.#counts };
    return saved;
  }

  restore(saved: Saved): void {
    const { held, counts } = saved as SavedBin; // as `save` made it
    this.#held = [...held];
    this.#counts = [...counts];
  }

  #combined(held: Value, value: Value): Value {
    if (this.#aggregate === "first") return held;
    if (typeof held !== "number" || typeof value !== "number") return value;
    switch (this.#aggregate) {
      case "mean":
      case "sum":
        return held + value;
      case "min":
        return Math.min(held, value);
      case "max":
        return Math.max(held, value);
      default:
        return value;
    }
  }

  #finished(held: Value, count: number): Value {
    if (this.#aggregate === "count") return count;
    return this.#aggregate === "mean" && typeof held === "number" ? held / count : held;
  }
}

interface SavedBin {
  readonly held: readonly Value[];
  readonly counts: readonly number[];
}
