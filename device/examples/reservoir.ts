// What stays of the train examples that have left the ring: an even draw over all of them, however many there were.

import { classesOf } from "../../shared/pipeline/labels/target.js";
import type { Database } from "../../shared/storage/port.js";
import type { OutputSpec, RowsSpec } from "../../shared/task/task.js";

/** A row on its way out of the ring. */
export interface LeavingRow {
  readonly id: number;
  readonly label: number;
}

/** Which rows stay. */
export interface ReservoirOptions {
  /** Rows in each stratum; 0: none stays. */
  readonly size: number;
  /** Classes with places of their own; 0: all rows share theirs. */
  readonly classes: number;
  /**
   * The uniform draw in [0, 1) about the n-th row (from 1) that a stratum was offered. It depends on nothing else, so
   * that a restart or a replay decides alike.
   */
  draw(stratum: number, n: number): number;
}

/** Strata and places of a task's reservoir. */
export function reservoirSize(
  { keep }: RowsSpec,
  output: OutputSpec,
): Pick<ReservoirOptions, "size" | "classes"> {
  const classes = classesOf(output);
  if (keep.balance === "none" || classes === undefined) return { size: keep.reservoir, classes: 0 };
  return { size: Math.floor(keep.reservoir / classes), classes };
}

/**
 * Algorithm R (Vitter 1985) per stratum: of n rows offered each is kept with the same chance, size / n. Rows stay in the
 * table `example`, with their place in `place`; how many were offered is in `reservoir`. All calls are made in the
 * transaction of the rows they are about.
 */
export class Reservoir {
  readonly #database: Database;
  readonly #options: ReservoirOptions;

  constructor(database: Database, options: ReservoirOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** False when nothing is ever kept. */
  get isOpen(): boolean {
    return this.#options.size > 0;
  }

  /** Rows that are kept, counted. */
  count(): number {
    return Number(this.#database.get(`SELECT count(*) AS rows FROM example WHERE place IS NOT NULL`)?.rows);
  }

  /** Starts afresh when the places are others than before; returns how many rows had to go. */
  claim(): number {
    const { size, classes } = this.#options;
    const layout = this.#database.get(`SELECT size, classes FROM reservoir_layout`);
    if (layout?.size === size && layout.classes === classes) return 0;
    this.#database.run(`INSERT OR REPLACE INTO reservoir_layout VALUES (1, ?, ?)`, size, classes);
    return this.clear();
  }

  /** Forgets everything; returns the number of rows. */
  clear(): number {
    this.#database.run(`DELETE FROM reservoir`);
    return this.#database.run(`DELETE FROM example WHERE place IS NOT NULL`);
  }

  /** Takes train rows in the order they leave the ring, and says how many got a place, and how many lost theirs. */
  offer(rows: readonly LeavingRow[]): { readonly placed: number; readonly displaced: number } {
    const outcome = { placed: 0, displaced: 0 };
    const offered = new Map<number, number>();
    for (const { id, label } of rows) {
      const stratum = this.#options.classes === 0 ? 0 : label;
      const n = (offered.get(stratum) ?? this.#offered(stratum)) + 1;
      offered.set(stratum, n);
      const place = this.#placeFor(stratum, n);
      if (place === undefined) continue;
      outcome.placed += 1;
      outcome.displaced += this.#database.run(`DELETE FROM example WHERE place = ?`, place);
      this.#database.run(`UPDATE example SET place = ? WHERE id = ?`, place, id);
    }
    for (const [stratum, n] of offered)
      this.#database.run(`INSERT OR REPLACE INTO reservoir VALUES (?, ?)`, stratum, n);
    return outcome;
  }

  #offered(stratum: number): number {
    const row = this.#database.get(`SELECT offered FROM reservoir WHERE stratum = ?`, stratum);
    return row === undefined ? 0 : Number(row.offered);
  }

  #placeFor(stratum: number, n: number): number | undefined {
    const { size, draw } = this.#options;
    const drawn = n <= size ? n - 1 : Math.floor(draw(stratum, n) * n);
    return drawn < size ? stratum * size + drawn : undefined;
  }
}
