// One column's values since its last window closed: every value, or evenly spaced ones where the window is long.

/** Values kept of a window, at most. */
export const VALUES_MAX = 1_024;

/** A window being filled. Its size in rows is fixed; of long ones every so many values are kept. */
export class ColumnWindow {
  readonly #stride: number;
  readonly #values: Float32Array;
  // Positions in the season; empty without one.
  readonly #phases: Float32Array;
  #size = 0;
  #seen = 0;
  #missing = 0;

  constructor(rows: number, isSeasonal: boolean) {
    this.#stride = Math.ceil(rows / VALUES_MAX);
    const capacity = Math.ceil(rows / this.#stride);
    this.#values = new Float32Array(capacity);
    this.#phases = new Float32Array(isSeasonal ? capacity : 0);
  }

  /** One row's value, NaN where it is missing. */
  add(value: number, phase: number): void {
    this.#seen += 1;
    if (!Number.isFinite(value)) this.#missing += 1;
    if ((this.#seen - 1) % this.#stride !== 0 || this.#size >= this.#values.length) return;
    // Infinity is no measurement either.
    this.#values[this.#size] = Number.isFinite(value) ? value : Number.NaN;
    if (this.#phases.length > 0) this.#phases[this.#size] = phase;
    this.#size += 1;
  }

  /** Values in the order they came, NaN where missing. Valid until the next change. */
  get values(): Float32Array {
    return this.#values.subarray(0, this.#size);
  }

  get phases(): Float32Array {
    return this.#phases.subarray(0, this.#size);
  }

  /** Rows each kept value stands for. */
  get stride(): number {
    return this.#stride;
  }

  /** Rows that had a value. */
  get presentRows(): number {
    return this.#seen - this.#missing;
  }

  clear(): void {
    this.#size = 0;
    this.#seen = 0;
    this.#missing = 0;
  }

  save(): SavedColumnWindow {
    return [this.values, this.phases, [this.#size, this.#seen, this.#missing]];
  }

  restore([values, phases, [size, seen, missing]]: SavedColumnWindow): void {
    this.#values.set(values);
    this.#phases.set(phases);
    this.#size = size!;
    this.#seen = seen!;
    this.#missing = missing!;
  }
}

/** A window as `save` gave it. */
export type SavedColumnWindow = readonly [Float32Array, Float32Array, readonly number[]];
