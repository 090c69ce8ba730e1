// The last rows of one entity, reduced to the numbers an operator looks back at.

import type { Saved, Stateful } from "./state.js";
import type { PipelineRow } from "./types.js";

/**
 * A ring of rows: their times and some of their number fields (NaN where missing, only in here). Rows are numbered
 * from 0 for ever; those from `first` to `end - 1` are remembered. Grows up to `limit` rows, then drops the oldest.
 */
export class History implements Stateful {
  readonly #positions: readonly number[];
  readonly #limit: number;
  #times = new Float64Array(8);
  #values: Float64Array;
  #mask = 7;
  #first = 0;
  #end = 0;
  #droppedMs: number | undefined;

  constructor(positions: readonly number[], limit: number) {
    this.#positions = positions;
    this.#limit = limit;
    this.#values = new Float64Array(8 * positions.length);
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  /** Time of the newest row dropped because the ring was full, undefined when it never was. */
  get droppedMs(): number | undefined {
    return this.#droppedMs;
  }

  timeMs(row: number): number {
    return this.#times[row & this.#mask]!;
  }

  /** The `column`-th of the remembered fields, NaN where it was missing. */
  value(row: number, column: number): number {
    return this.#values[(row & this.#mask) * this.#positions.length + column]!;
  }

  /** All remembered values of one field, oldest first, NaN where it was missing. */
  column(column: number): Float64Array {
    const values = new Float64Array(this.#end - this.#first);
    return values.map((_, i) => this.value(this.#first + i, column));
  }

  /** Remembers a row; false when the oldest had to go for it. */
  push({ timeMs, values }: PipelineRow): boolean {
    const hadRoom = this.#makeRoom();
    const slot = this.#end & this.#mask;
    this.#times[slot] = timeMs;
    const width = this.#positions.length;
    for (let column = 0; column < width; column++) {
      const value = values[this.#positions[column]!];
      this.#values[slot * width + column] = typeof value === "number" ? value : Number.NaN;
    }
    this.#end += 1;
    return hadRoom;
  }

  /** `push` for a history of one field: `x` is NaN where it is missing. */
  pushNumber(timeMs: number, x: number): boolean {
    const hadRoom = this.#makeRoom();
    const slot = this.#end & this.#mask;
    this.#times[slot] = timeMs;
    this.#values[slot] = x;
    this.#end += 1;
    return hadRoom;
  }

  /** Forgets rows before number `row`. */
  forget(row: number): void {
    if (row > this.#first) this.#first = row;
  }

  save(): Saved {
    const size = this.#end - this.#first;
    const times = new Float64Array(size);
    const width = this.#positions.length;
    const values = new Float64Array(size * width);
    for (let row = this.#first; row < this.#end; row++) this.#copyRow(row, row - this.#first, times, values);
    const saved: SavedHistory = { first: this.#first, droppedMs: this.#droppedMs ?? null, times, values };
    return saved;
  }

  restore(saved: Saved): void {
    const { first, droppedMs, times, values } = saved as SavedHistory; // as `save` made it
    const width = this.#positions.length;
    this.#first = first;
    this.#end = first;
    this.#droppedMs = droppedMs ?? undefined;
    for (let row = 0; row < times.length; row++) {
      this.#makeRoom();
      const slot = this.#end & this.#mask;
      this.#times[slot] = times[row]!;
      this.#values.set(values.subarray(row * width, (row + 1) * width), slot * width);
      this.#end += 1;
    }
  }

  #makeRoom(): boolean {
    const size = this.#end - this.#first;
    if (size >= this.#limit) {
      this.#droppedMs = this.timeMs(this.#first);
      this.#first += 1;
      return false;
    }
    if (size > this.#mask) this.#grow();
    return true;
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const width = this.#positions.length;
    const times = new Float64Array(capacity);
    const values = new Float64Array(capacity * width);
    for (let row = this.#first; row < this.#end; row++)
      this.#copyRow(row, row & (capacity - 1), times, values);
    this.#times = times;
    this.#values = values;
    this.#mask = capacity - 1;
  }

  #copyRow(row: number, to: number, times: Float64Array, values: Float64Array): void {
    const width = this.#positions.length;
    times[to] = this.timeMs(row);
    for (let column = 0; column < width; column++) values[to * width + column] = this.value(row, column);
  }
}

interface SavedHistory {
  readonly first: number;
  readonly droppedMs: number | null;
  readonly times: Float64Array;
  readonly values: Float64Array;
}
