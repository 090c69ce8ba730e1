// From the store to the trainer: a whole split, scaled and laid out row by row in memory a worker can share.

import { assert } from "../../shared/assert.js";
import type { Clock } from "../../shared/clock.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import { scaleInto, scaleLabel, scalerHash } from "../../shared/pipeline/scaler.js";
import { statisticsOf } from "../../shared/pipeline/statistics.js";
import type { ColumnStatistics, FittedScaler, QuantileNeeds, Split } from "../../shared/pipeline/types.js";
import type { ExampleBatch } from "../train/trainer.js";
import type { ExampleStore, StoredExample } from "./store.js";

/** Rows read between two turns of the event loop: reading holds up a prediction by a millisecond, and is soon garbage. */
const PAGE_ROWS = 250;
/** The memory of a batch up to this size is kept, and with it the batch, if no example comes before the next round. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Room for the rows to come, so that a store that fills up does not ask for new memory every round. */
const GROWTH = 1.5;

/** A split as it was stored, unscaled. */
export interface RawExamples {
  readonly rows: number;
  /** rows x columns */
  readonly features: Float32Array;
  readonly labels: Float32Array;
  /** The persistence forecast, NaN where the label is no forecast. */
  readonly persistence: Float64Array;
}

/** Which rows, and how many at most. */
interface WantedRows {
  readonly split: Split;
  readonly limit: number;
  readonly sinceMs?: number | undefined;
}

interface Kept {
  readonly key: string;
  readonly batch: ExampleBatch;
  readonly memory: BatchMemory;
}

/** Where a batch lies; perhaps longer than the batch. */
interface BatchMemory {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Reads splits of one store for one model. */
export class ExampleReader {
  readonly #store: ExampleStore;
  readonly #definition: ModelDefinition;
  readonly #clock: Clock;
  readonly #kept = new Map<Split, Kept>();

  constructor(store: ExampleStore, definition: ModelDefinition, clock: Clock) {
    this.#store = store;
    this.#definition = definition;
    this.#clock = clock;
  }

  /**
   * The split as the model sees it, from an event time on if one is given; for classification `y` is one-hot, for binary 0
   * or 1. Nobody writes to it, and it is valid until the next call for the same split, which may lay another batch into its
   * memory.
   */
  async scaled(split: Split, scaler: FittedScaler, sinceMs?: number): Promise<ExampleBatch> {
    const key = `${this.#store.revision} ${scalerHash(scaler)} ${sinceMs}`;
    const kept = this.#kept.get(split);
    if (kept?.key === key) return kept.batch;
    // Out of the map while it is written to: a call that comes meanwhile takes memory of its own.
    this.#kept.delete(split);
    const limit = this.count(split, sinceMs);
    const memory = this.#memoryFor(limit, kept?.memory);
    const batch = await this.#scale({ split, limit, sinceMs }, scaler, memory);
    if (memory.x.byteLength + memory.y.byteLength <= KEPT_BYTES_MAX)
      this.#kept.set(split, { key, batch, memory });
    return batch;
  }

  /** Examples of a split, from an event time on if one is given. */
  count(split: Split, sinceMs?: number): number {
    return sinceMs === undefined ? this.#store.counts()[split] : this.#store.countSince(split, sinceMs);
  }

  /** The split unscaled. */
  async raw(split: Split): Promise<RawExamples> {
    const columns = this.#definition.inputs;
    const capacity = this.#store.counts()[split];
    const features = new Float32Array(capacity * columns);
    const labels = new Float32Array(capacity);
    const persistence = new Float64Array(capacity);
    const rows = await this.#eachRow({ split, limit: capacity }, (example, row, values) => {
      features.set(values, row * columns);
      labels[row] = example.label;
      persistence[row] = example.persistence ?? Number.NaN;
    });
    return {
      rows,
      features: features.subarray(0, rows * columns),
      labels: labels.subarray(0, rows),
      persistence: persistence.subarray(0, rows),
    };
  }

  /** What a `fit` round asks for: statistics of the unscaled train examples. */
  async statistics(needs?: QuantileNeeds, sinceMs?: number): Promise<ColumnStatistics> {
    const statistics = statisticsOf(this.#definition.inputs, needs);
    const limit = this.count("train", sinceMs);
    await this.#eachRow({ split: "train", limit, sinceMs }, ({ label }, _row, values) =>
      statistics.add(values, label),
    );
    return statistics.finish();
  }

  /** Room for `rows`: what is kept if that does, since V8 does not count shared memory and so lets it pile up. */
  #memoryFor(rows: number, kept: BatchMemory | undefined): BatchMemory {
    const { inputs, outputs } = this.#definition;
    if (kept !== undefined && kept.x.length >= rows * inputs && kept.y.length >= rows * outputs) return kept;
    const bytes = rows * (inputs + outputs) * Float32Array.BYTES_PER_ELEMENT;
    // Copied to the worker, but counted.
    if (bytes > KEPT_BYTES_MAX)
      return { x: new Float32Array(rows * inputs), y: new Float32Array(rows * outputs) };
    const room = kept === undefined ? rows : Math.ceil(Math.min(GROWTH, KEPT_BYTES_MAX / bytes) * rows);
    return { x: sharedFloats(room * inputs), y: sharedFloats(room * outputs) };
  }

  async #scale(rowsOf: WantedRows, scaler: FittedScaler, { x, y }: BatchMemory): Promise<ExampleBatch> {
    const { inputs, outputs } = this.#definition;
    y.fill(0);
    const rows = await this.#eachRow(rowsOf, (example, row, values) => {
      scaleInto(scaler, values, x, row * inputs);
      const scaled = x.subarray(row * inputs, (row + 1) * inputs);
      const truth = y.subarray(row * outputs, (row + 1) * outputs);
      writeLabel(this.#definition, scaler, { label: example.label, row: scaled }, truth);
    });
    return { rows, x: x.subarray(0, rows * inputs), y: y.subarray(0, rows * outputs) };
  }

  /** Visits rows and returns their number; `values` is only valid during the visit. */
  async #eachRow(
    { split, limit, sinceMs }: WantedRows,
    visit: (example: StoredExample, row: number, values: Float32Array) => void,
  ): Promise<number> {
    const values = new Float32Array(this.#definition.inputs);
    const bytes = new Uint8Array(values.buffer);
    let afterId = 0;
    let row = 0;
    while (row < limit) {
      const page = this.#store.page(split, { afterId, sinceMs }, Math.min(PAGE_ROWS, limit - row));
      // Rows may have gone meanwhile, the oldest first: then there are fewer than were counted.
      if (page.examples.length === 0) break;
      afterId = page.lastId;
      for (const example of page.examples) {
        assert(example.features.length === bytes.length, "stored examples are as wide as the model");
        bytes.set(example.features);
        visit(example, row++, values);
      }
      if (row < limit) await this.#clock.turn();
    }
    return row;
  }
}

/**
 * Writes a label as the model's output would be: scaled, one-hot into a row of zeros, 0 or 1, or the scaled row itself.
 */
export function writeLabel(
  { output }: ModelDefinition,
  scaler: FittedScaler,
  { label, row }: { readonly label: number; readonly row: Float32Array },
  out: Float32Array,
): void {
  if (output.kind === "regression") out[0] = scaleLabel(scaler, label);
  else if (output.kind === "binary") out[0] = label;
  else if (output.kind === "reconstruction") out.set(row);
  else if (Number.isInteger(label) && label >= 0 && label < output.classes) out[label] = 1;
}

/** Zeros that a worker thread reads without copying. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}
