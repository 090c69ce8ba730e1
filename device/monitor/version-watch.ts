// Watches one version for as long as it is served, or scored beside what is: its error, the columns it is given, and what it
// says.

import type { Counters } from "../../shared/counters.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import type { Example, FeatureRow, FittedScaler } from "../../shared/pipeline/types.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import { type ConceptState, ConceptWatch, NO_CONCEPT } from "./concept-watch.js";
import { DataWatch, type WatchedColumn } from "./data-watch.js";
import { MetricWindow } from "./metric-window.js";
import { errorOf, scoreRow } from "./score-row.js";

/** The column of what a version says. */
export const PREDICTION_COLUMN = "prediction";

/** Columns that are watched, at most: of more, evenly spaced ones. */
const COLUMNS_MAX = 256;

/** Unscaled rows that a version learnt from, as far as the device knows: oldest first, at most `limit`. */
export type ReferenceRows = (limit: number) => readonly Pick<FeatureRow, "timeMs" | "features">[];

export interface VersionWatchOptions {
  readonly spec: MonitorSpec;
  readonly definition: ModelDefinition;
  readonly columns: readonly string[];
  readonly scaler: FittedScaler;
  readonly reference: ReferenceRows;
  readonly counters: Counters;
}

/** Whether something drifts now. */
export interface DriftState {
  /** Undefined: nothing does. */
  readonly kind: "concept" | "data" | undefined;
  /** Event time since when. */
  readonly sinceMs: number | undefined;
}

/** Nothing drifts. */
export const NO_DRIFT: DriftState = { kind: undefined, sinceMs: undefined };

/** One version's. */
export class VersionWatch implements Stateful {
  readonly #options: VersionWatchOptions;
  readonly #window: MetricWindow;
  readonly #concept: ConceptWatch | undefined;
  readonly #data: DataWatch | undefined;
  readonly #said: DataWatch | undefined;
  /** Positions of the columns that are watched. */
  readonly #watched: readonly number[];
  #conceptSinceMs: number | undefined;
  #hasBegun = false;

  constructor(options: VersionWatchOptions) {
    const { spec, definition, columns, counters } = options;
    const { concept, data, seasonMs } = spec;
    const { kind } = definition.output;
    const areMisses = kind === "classification" || kind === "binary";
    this.#options = options;
    this.#window = new MetricWindow(spec.window);
    this.#concept = concept && new ConceptWatch({ call: concept, areMisses, counters });
    this.#watched = spread(columns.length, COLUMNS_MAX);
    const names = this.#watched.map((at) => columns[at]!);
    this.#data = data && new DataWatch({ columns: names, spec: data, seasonMs });
    this.#said = data && new DataWatch({ columns: [PREDICTION_COLUMN], spec: data, seasonMs });
  }

  /** Sums over the newest labelled rows. */
  get window(): MetricSums {
    return this.#window.sums();
  }

  get concept(): ConceptState {
    return this.#concept?.state ?? NO_CONCEPT;
  }

  /** Columns that have been tested, what the version says among them. */
  get columns(): readonly WatchedColumn[] {
    return [...(this.#data?.columns ?? []), ...(this.#said?.columns ?? [])];
  }

  /** An error that has changed counts for more than columns that have. */
  get drift(): DriftState {
    if (this.#conceptSinceMs !== undefined) return { kind: "concept", sinceMs: this.#conceptSinceMs };
    const drift = [this.#data?.drift, this.#said?.drift].find((each) => each?.isDrifting === true);
    return drift === undefined ? NO_DRIFT : { kind: "data", sinceMs: drift.sinceMs };
  }

  /** A new row, and what the version said: NaN where that is no finite number. */
  row({ timeMs, features }: FeatureRow, value: number): void {
    if (this.#data === undefined) return;
    this.#begin();
    this.#data.push({ timeMs, features: this.#pick(features) });
    this.#said?.push({ timeMs, features: Float32Array.of(value) });
  }

  /** The label of a row has come. The row's sums; undefined when they are no finite numbers. */
  label(example: Example, output: Float32Array): MetricSums | undefined {
    const { definition, scaler, counters } = this.#options;
    const sums = scoreRow(definition, scaler, output, example);
    if (sums === undefined) {
      counters.add("monitor.rows-not-finite");
      return undefined;
    }
    this.#window.add(example.timeMs, sums);
    const news = this.#concept?.see(errorOf(definition, scaler, sums));
    if (news?.type === "began") this.#conceptSinceMs = this.#window.timeOf(news.rowsAgo);
    else if (news?.type === "ended") this.#conceptSinceMs = undefined;
    return sums;
  }

  save(): Saved {
    this.#begin();
    return {
      hasBegun: this.#hasBegun,
      window: this.#window.save(),
      concept: this.#concept?.save() ?? null,
      data: this.#data?.save() ?? null,
      said: this.#said?.save() ?? null,
      conceptSinceMs: this.#conceptSinceMs ?? null,
    };
  }

  restore(saved: Saved): void {
    const { hasBegun, window, concept, data, said, conceptSinceMs } = saved as SavedVersionWatch; // as `save` made it
    this.#hasBegun = hasBegun;
    this.#window.restore(window);
    this.#concept?.restore(concept);
    this.#data?.restore(data);
    this.#said?.restore(said);
    this.#conceptSinceMs = conceptSinceMs ?? undefined;
  }

  // With the first row, or when all is brought to disk, as it is when a version has been taken up: what is stored by then.
  #begin(): void {
    if (this.#hasBegun || this.#data === undefined) return;
    this.#hasBegun = true;
    const rows = this.#options.reference(this.#data.referenceRowsMax);
    this.#data.begin(rows.map(({ timeMs, features }) => ({ timeMs, features: this.#pick(features) })));
  }

  #pick(features: Float32Array): Float32Array {
    if (this.#watched.length === features.length) return features;
    return Float32Array.from(this.#watched, (at) => features[at]!);
  }
}

interface SavedVersionWatch {
  readonly hasBegun: boolean;
  readonly window: Saved;
  readonly concept: Saved;
  readonly data: Saved;
  readonly said: Saved;
  readonly conceptSinceMs: number | null;
}

/** At most `most` of the numbers below `count`, evenly spaced. */
function spread(count: number, most: number): readonly number[] {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}
