// Batches of shuffled rows, gathered into buffers that are made once and reused.

import type { ExampleBatch } from "./trainer.js";

/** Collects rows of `examples` in a given order. */
export class BatchGatherer {
  /** Rows of a full batch. */
  readonly capacity: number;
  readonly #examples: ExampleBatch;
  readonly #x: Float32Array;
  readonly #y: Float32Array;

  constructor(examples: ExampleBatch, capacity: number) {
    this.capacity = capacity;
    this.#examples = examples;
    this.#x = new Float32Array(capacity * width(examples.x, examples.rows));
    this.#y = new Float32Array(capacity * width(examples.y, examples.rows));
  }

  /** The rows `order[start]` and on; fewer than `capacity` at the end. Valid until the next call. */
  gather(order: Uint32Array, start: number): ExampleBatch {
    const rows = Math.min(this.capacity, order.length - start);
    const picked = order.subarray(start, start + rows);
    const x = copyRows(this.#examples.x, picked, this.#x, width(this.#x, this.capacity));
    const y = copyRows(this.#examples.y, picked, this.#y, width(this.#y, this.capacity));
    return { rows, x, y };
  }
}

// Element by element: rows are narrow, and a view per row would cost more than its copy.
function copyRows(
  source: Float32Array,
  rows: Uint32Array,
  target: Float32Array,
  columns: number,
): Float32Array {
  let to = 0;
  for (let at = 0; at < rows.length; at++) {
    const from = rows[at]! * columns;
    for (let column = 0; column < columns; column++) target[to++] = source[from + column]!;
  }
  return to === target.length ? target : target.subarray(0, to);
}

function width(values: Float32Array, rows: number): number {
  return values.length / rows;
}
