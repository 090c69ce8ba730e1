// The monitor of one deployment: hears every row with what versions said of it, and every label; adds up what a report
// tells. Only sums and verdicts ever leave it.

import type { Counters } from "../../shared/counters.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import { emptyMetricSums, type MetricSums, mergeMetricSums } from "../../shared/model/metric.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import type { Example, FeatureRow } from "../../shared/pipeline/types.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import type { Verdicts } from "../infer/predictor.js";
import type { BaseModel } from "../model/check.js";
import { AnswerBook, type BookedOutput } from "./answer-book.js";
import { type ConceptState, NO_CONCEPT } from "./concept-watch.js";
import type { WatchedColumn } from "./data-watch.js";
import { type DriftState, NO_DRIFT, type ReferenceRows, VersionWatch } from "./version-watch.js";

export interface MonitorOptions {
  readonly spec: MonitorSpec;
  readonly definition: ModelDefinition;
  /** Names of a row's features. */
  readonly columns: readonly string[];
  /** Stored train examples from an event time on, oldest first: the newest, at most `limit`. */
  readonly examples: (limit: number, sinceMs: number) => ReturnType<ReferenceRows>;
  readonly counters: Counters;
}

/** The versions that answer rows. */
export interface Pair {
  readonly serving: BaseModel | undefined;
  readonly beside: BaseModel | undefined;
}

/** What one version has done since the pair was taken up. */
export interface Tally {
  readonly version: number;
  readonly rows: number;
  readonly invalid: number;
  readonly totalUs: number;
  /** Over rows whose label has come and that every version of the pair has answered. */
  readonly labelled: MetricSums;
}

/** Loss of `beside` less loss of `serving`, per labelled row. */
export interface PairedLoss {
  readonly rows: number;
  readonly sum: number;
  readonly squares: number;
}

/** All there is to tell: nothing in it changes later. */
export interface MonitorView {
  readonly serving: Tally | undefined;
  readonly beside: Tally | undefined;
  readonly paired: PairedLoss;
  /** Of what is served: its newest labelled rows, its error, its columns. */
  readonly window: MetricSums;
  readonly concept: ConceptState;
  readonly columns: readonly WatchedColumn[];
  readonly drift: DriftState;
  /** Answers that wait for their label. */
  readonly waiting: number;
}

const NO_LOSS: PairedLoss = { rows: 0, sum: 0, squares: 0 };

/** Must see each row exactly once, also over a restart: its state is saved with the pipeline's. */
export class Monitor implements Stateful {
  readonly #options: MonitorOptions;
  readonly #book: AnswerBook;
  /** One for each version of the pair: it outlives the pair, if the version does. */
  readonly #watches = new Map<string, VersionWatch>();
  #keys: PairKeys = { serving: undefined, beside: undefined };
  #pair = 0;
  #serving: Tally | undefined;
  #beside: Tally | undefined;
  #paired = NO_LOSS;
  /** What the next version is taken up for, if it is for a drift: rows of before are none that it learnt from. */
  #referenceSinceMs = Number.NEGATIVE_INFINITY;
  /** Of a restored state, until versions are there to take it up. */
  #saved: SavedMonitor | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#book = new AnswerBook({ width: options.definition.outputs, counters: options.counters });
  }

  /** What answers rows from here on. Gives false when that is not what a restored state was about. */
  follow({ serving, beside }: Pair): boolean {
    const keys = { serving: serving && keyOf(serving), beside: beside && keyOf(beside) };
    const before = this.#saved?.keys ?? this.#keys;
    const isSame = keys.serving === before.serving && keys.beside === before.beside;
    if (this.#saved !== undefined) this.#takeUp(this.#saved, { serving, beside });
    else if (isSame) return true;
    this.#noteDrift(keys);
    this.#keys = keys;
    for (const key of this.#watches.keys())
      if (key !== keys.serving && key !== keys.beside) this.#watches.delete(key);
    for (const version of [serving, beside]) if (version !== undefined) this.#watchOf(version);
    if (isSame) return true;
    this.#book.keepOnly((key) => this.#watches.has(key));
    this.#pair += 1;
    this.#serving = serving && emptyTally(serving);
    this.#beside = beside && emptyTally(beside);
    this.#paired = NO_LOSS;
    return false;
  }

  /** New rows and what was said of them. A row that a late reading has changed has been seen. */
  hear(rows: readonly FeatureRow[], serving: Verdicts, beside: Verdicts | undefined): void {
    const asked = [serving, ...(beside === undefined ? [] : [beside])].map((verdicts) => {
      const key = keyOf(verdicts.version);
      return { verdicts, key, watch: this.#watches.get(key) };
    });
    rows.forEach((row, at) => {
      if (row.revision !== undefined) return;
      const outputs: BookedOutput[] = [];
      for (const { verdicts, key, watch } of asked) {
        const value = verdicts.values[at]!;
        watch?.row(row, value);
        if (!Number.isNaN(value)) outputs.push({ key, output: this.#outputOf(verdicts, at) });
      }
      if (outputs.length > 0) this.#book.put(row, { pair: this.#pair, outputs });
    });
    this.#serving = count(this.#serving, serving, rows);
    this.#beside = count(this.#beside, beside, rows);
  }

  /** The label of a row has come. */
  label(example: Example): void {
    const answer = this.#book.take(example);
    if (answer === undefined) {
      if (example.revision === undefined) this.#options.counters.add("monitor.labels-unanswered");
      return;
    }
    const sums = new Map<string, MetricSums>();
    for (const { key, output } of answer.outputs) {
      const row = this.#watches.get(key)?.label(example, output);
      if (row !== undefined) sums.set(key, row);
    }
    if (answer.pair === this.#pair) this.#addLabelled(sums);
  }

  /** What there is to tell. */
  view(): MonitorView {
    const watch = this.#servedWatch;
    return {
      ...{ serving: this.#serving, beside: this.#beside, paired: this.#paired },
      window: watch?.window ?? emptyMetricSums,
      concept: watch?.concept ?? NO_CONCEPT,
      columns: watch?.columns ?? [],
      drift: this.drift,
      waiting: this.#book.size,
    };
  }

  /** Whether what is served sees something drift. */
  get drift(): DriftState {
    return this.#servedWatch?.drift ?? NO_DRIFT;
  }

  get #servedWatch(): VersionWatch | undefined {
    const { serving } = this.#keys;
    return serving === undefined ? undefined : this.#watches.get(serving);
  }

  save(): Saved {
    // Nobody has taken it up: it is still what it was.
    if (this.#saved !== undefined) return this.#saved;
    const saved: SavedMonitor = {
      keys: this.#keys,
      pair: this.#pair,
      tallies: [this.#serving ?? null, this.#beside ?? null],
      paired: this.#paired,
      referenceSinceMs: this.#referenceSinceMs,
      book: this.#book.save(),
      watches: [...this.#watches].map(([key, watch]) => [key, watch.save()] as const),
    };
    return saved;
  }

  restore(saved: Saved): void {
    this.#saved = saved as SavedMonitor; // as `save` made it
    this.#book.restore(this.#saved.book);
  }

  #takeUp(saved: SavedMonitor, { serving, beside }: Pair): void {
    this.#saved = undefined;
    this.#pair = saved.pair;
    this.#referenceSinceMs = saved.referenceSinceMs;
    this.#serving = saved.tallies[0] ?? undefined;
    this.#beside = saved.tallies[1] ?? undefined;
    this.#paired = saved.paired;
    this.#watches.clear();
    for (const [key, state] of saved.watches) {
      const version = [serving, beside].find((each) => each !== undefined && keyOf(each) === key);
      if (version !== undefined) this.#watchOf(version).restore(state);
    }
    this.#keys = saved.keys;
  }

  #noteDrift(next: PairKeys): void {
    if (next.serving === this.#keys.serving) return;
    const { sinceMs } = this.drift;
    if (sinceMs !== undefined) this.#referenceSinceMs = sinceMs;
  }

  #watchOf(version: BaseModel): VersionWatch {
    const key = keyOf(version);
    const known = this.#watches.get(key);
    if (known !== undefined) return known;
    const sinceMs = this.#referenceSinceMs;
    const reference: ReferenceRows = (limit) => this.#options.examples(limit, sinceMs);
    const watch = new VersionWatch({ ...this.#options, scaler: version.scaler, reference });
    this.#watches.set(key, watch);
    return watch;
  }

  #outputOf({ answers }: Verdicts, row: number): Float32Array {
    const { outputs: width } = this.#options.definition;
    return answers.outputs.slice(row * width, (row + 1) * width);
  }

  #addLabelled(sums: ReadonlyMap<string, MetricSums>): void {
    const { serving, beside } = this.#keys;
    const mine = serving === undefined ? undefined : sums.get(serving);
    const other = beside === undefined ? undefined : sums.get(beside);
    if (mine === undefined || this.#serving === undefined) return;
    if (beside === undefined) this.#serving = addLabel(this.#serving, mine);
    if (other === undefined || this.#beside === undefined) return;
    this.#serving = addLabel(this.#serving, mine);
    this.#beside = addLabel(this.#beside, other);
    const difference = other.loss - mine.loss;
    const { rows, sum, squares } = this.#paired;
    this.#paired = { rows: rows + 1, sum: sum + difference, squares: squares + difference ** 2 };
  }
}

interface PairKeys {
  readonly serving: string | undefined;
  readonly beside: string | undefined;
}

interface SavedMonitor {
  readonly keys: PairKeys;
  readonly pair: number;
  readonly tallies: readonly [serving: Tally | null, beside: Tally | null];
  readonly paired: PairedLoss;
  readonly referenceSinceMs: number;
  readonly book: Saved;
  readonly watches: readonly (readonly [key: string, state: Saved])[];
}

function keyOf({ manifest: { version, sha256 } }: BaseModel): string {
  return `${version} ${sha256}`;
}

function emptyTally({ manifest: { version } }: BaseModel): Tally {
  return { version, rows: 0, invalid: 0, totalUs: 0, labelled: emptyMetricSums };
}

function count(
  tally: Tally | undefined,
  verdicts: Verdicts | undefined,
  rows: readonly FeatureRow[],
): Tally | undefined {
  if (tally === undefined || verdicts === undefined) return tally;
  const { values, answers } = verdicts;
  const isNew = rows.map(({ revision }) => revision === undefined);
  const seen = isNew.filter((each) => each).length;
  const invalid = values.filter((value, at) => isNew[at] && Number.isNaN(value)).length;
  return {
    ...tally,
    rows: tally.rows + seen,
    invalid: tally.invalid + invalid,
    totalUs: tally.totalUs + (answers.tookUs * seen) / rows.length,
  };
}

function addLabel(tally: Tally, sums: MetricSums): Tally {
  return { ...tally, labelled: mergeMetricSums(tally.labelled, sums) };
}
