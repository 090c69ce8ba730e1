// One entity's chain where late readings still count (`late: { then: update }`): rows that they change are made again.

import { Counters } from "../counters.js";
import type { ChainSink, EntityChain } from "./entity-chain.js";
import type { HeardLabel } from "./labels/labeller.js";
import { decodeState, encodeState, type Saved, type Stateful } from "./state.js";
import type { Example, FeatureRow, PipelineRow } from "./types.js";

/** Rows remembered for a revision; beyond, the oldest goes, and what comes too late for it is late after all. */
const INPUTS_MAX = 20_000;
/** Labels remembered for a revision; beyond, the oldest goes, and a revision does without it. */
const TOLD_MAX = 4_096;
/** Late rows put in at once at the latest. */
const LATE_MAX = 1_000;
/** Snapshots over the time allowed: a revision replays that share of it more than it must. */
const SNAPSHOTS = 8;
/** Late rows wait for others for this share of the time allowed, so that a burst costs one revision. */
const PATIENCE = 1 / 32;

/** What goes into a chain. */
interface ChainInput {
  readonly node: number;
  readonly row: PipelineRow;
}

/** A label, and after how many inputs it was heard. */
interface Told {
  readonly after: number;
  readonly heard: HeardLabel;
}

/** What has come out, and after how many inputs. */
interface Output<Row> {
  readonly after: number;
  readonly row: Row;
}

interface Snapshot {
  /** Inputs before it; no row it has not seen was earlier than `atMs`. */
  readonly inputs: number;
  readonly atMs: number;
  readonly state: Uint8Array;
}

/** What a revising chain is made from. */
export interface RevisingChainOptions {
  /** How far behind the watermark a row may still come. */
  readonly allowedMs: number;
  readonly counters: Counters;
  readonly sink: ChainSink;
  /** A chain without any state, all of whose output goes to `sink`. */
  readonly makeChain: (counters: Counters, sink: ChainSink) => EntityChain;
}

/**
 * Gives what a chain would give that had seen every row in time: what a late row changes comes out again, with the next
 * `revision`. In the end the same has come out for any order of arrival; a row that should not have been made at all
 * stays, counted as `revisions.vanished`.
 */
export class RevisingChain implements Stateful {
  readonly #options: RevisingChainOptions;
  readonly #counters: ReplayCounters;
  #chain: EntityChain;
  /** Number of the first remembered input. */
  #first = 0;
  readonly #inputs: ChainInput[] = [];
  readonly #snapshots: Snapshot[] = [];
  #told: Told[] = [];
  #late: ChainInput[] = [];
  readonly #lateKeys = new Set<string>();
  readonly #features: Output<FeatureRow>[] = [];
  readonly #examples: Output<Example>[] = [];
  /** What had come out before the revision under way, by event time. */
  #before: Before | undefined;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  /** Watermark at which the late rows are put in. */
  #reviseMs = Number.POSITIVE_INFINITY;

  constructor(options: RevisingChainOptions) {
    this.#options = options;
    this.#counters = new ReplayCounters(options.counters);
    this.#chain = this.#makeChain();
  }

  push(node: number, row: PipelineRow, raw?: Uint8Array): boolean {
    this.#snapshotBefore(row);
    // First, because what comes out during the push comes out after this input.
    this.#inputs.push({ node, row });
    if (!this.#chain.push(node, row, raw)) {
      this.#inputs.pop();
      return false;
    }
    if (this.#inputs.length > INPUTS_MAX) this.#forgetOldest();
    return true;
  }

  /** Takes a row that comes behind the watermark, unless it is too late even for that, or a second one. */
  pushLate(node: number, row: PipelineRow, watermarkMs: number): "taken" | "late" | "duplicate" {
    this.#watermarkMs = watermarkMs;
    this.#forgetOld();
    const oldest = this.#snapshots[0];
    if (oldest === undefined || row.timeMs < oldest.atMs) return "late";
    const key = `${node} ${row.timeMs}`;
    if (this.#lateKeys.has(key) || this.#hasInput(node, row.timeMs)) return "duplicate";
    if (this.#late.length === 0) this.#reviseMs = this.#watermarkMs + this.#options.allowedMs * PATIENCE;
    this.#late.push({ node, row });
    this.#lateKeys.add(key);
    if (this.#late.length >= LATE_MAX) this.#revise();
    return "taken";
  }

  /** As `EntityChain.hear`. */
  hear(heard: HeardLabel): boolean {
    const isKnown = this.#chain.hear(heard);
    if (!isKnown) return false;
    this.#told.push({ after: this.#end, heard });
    if (this.#told.length > TOLD_MAX) {
      this.#told.shift();
      this.#counters.add("revisions.labels-forgotten");
    }
    return true;
  }

  /** The entity is forgotten. */
  drop(): void {
    this.#chain.drop();
  }

  advance(watermarkMs: number): void {
    this.#watermarkMs = watermarkMs;
    if (watermarkMs >= this.#reviseMs) this.#revise();
    this.#chain.advance(watermarkMs);
    this.#forgetOld();
  }

  dueMs(): number {
    const forgetMs = (this.#snapshots[1]?.atMs ?? Number.POSITIVE_INFINITY) + this.#options.allowedMs;
    return Math.min(this.#chain.dueMs(), this.#reviseMs, forgetMs);
  }

  flush(watermarkMs: number): void {
    this.#reviseMs = watermarkMs;
    this.advance(watermarkMs);
    this.#chain.flush();
  }

  save(): Saved {
    const saved: SavedRevisions = {
      chain: this.#chain.save(),
      first: this.#first,
      inputs: this.#inputs,
      snapshots: this.#snapshots,
      told: this.#told,
      late: this.#late,
      features: this.#features,
      examples: this.#examples,
      watermarkMs: this.#watermarkMs,
      reviseMs: this.#reviseMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { chain, first, inputs, snapshots, told, late, features, examples, ...times } =
      saved as SavedRevisions; // as `save` made it
    this.#chain.restore(chain);
    this.#first = first;
    this.#inputs.push(...inputs);
    this.#snapshots.push(...snapshots);
    this.#told = [...told];
    this.#late = [...late];
    for (const { node, row } of late) this.#lateKeys.add(`${node} ${row.timeMs}`);
    this.#features.push(...features);
    this.#examples.push(...examples);
    this.#watermarkMs = times.watermarkMs;
    this.#reviseMs = times.reviseMs;
  }

  #makeChain(): EntityChain {
    const sink: ChainSink = {
      features: (row) => this.#takeFeatures(row),
      example: (example) => this.#takeExample(example),
      quarantine: (item) => {
        if (this.#before === undefined) this.#options.sink.quarantine?.(item);
      },
    };
    return this.#options.makeChain(this.#counters, sink);
  }

  get #end(): number {
    return this.#first + this.#inputs.length;
  }

  // A chain advances only after all rows up to the watermark went in: before this row it has not come past it.
  #snapshotBefore({ timeMs }: PipelineRow): void {
    const newest = this.#snapshots.at(-1);
    const isRecent =
      newest !== undefined &&
      timeMs - newest.atMs < this.#options.allowedMs / SNAPSHOTS &&
      this.#end - newest.inputs < INPUTS_MAX / SNAPSHOTS;
    if (isRecent) return;
    this.#snapshots.push({ inputs: this.#end, atMs: timeMs, state: encodeState(this.#chain.save()) });
  }

  // Inputs lie in event time.
  #hasInput(node: number, timeMs: number): boolean {
    let low = 0;
    let high = this.#inputs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#inputs[middle]!.row.timeMs < timeMs) low = middle + 1;
      else high = middle;
    }
    for (let i = low; this.#inputs[i]?.row.timeMs === timeMs; i++)
      if (this.#inputs[i]!.node === node) return true;
    return false;
  }

  // Back to before the earliest late row, and through everything again.
  #revise(): void {
    this.#reviseMs = Number.POSITIVE_INFINITY;
    if (this.#late.length === 0) return;
    const late = this.#late;
    this.#late = [];
    this.#lateKeys.clear();
    this.#counters.add("revisions.late-rows", late.length);
    const from = this.#rewind(late.reduce((least, { row }) => Math.min(least, row.timeMs), Infinity));
    const kept = this.#inputs.splice(from.inputs - this.#first);
    const told = cutTold(this.#told, from.inputs, kept);
    const replayed = [...kept, ...late].toSorted(byTime);
    const before = {
      features: cutAfter(this.#features, from.inputs),
      examples: cutAfter(this.#examples, from.inputs),
    };
    this.#before = before;
    this.#counters.isReplay = true;
    this.#chain.drop();
    this.#chain = this.#makeChain();
    this.#chain.restore(decodeState(from.state));
    for (const input of replayed) {
      this.push(input.node, input.row);
      for (const heard of told.get(input) ?? []) this.hear(heard);
    }
    this.#chain.advance(this.#watermarkMs);
    this.#before = undefined;
    this.#counters.isReplay = false;
    if (before.features.size > 0) this.#counters.add("revisions.vanished", before.features.size);
  }

  /** The newest snapshot at or before `timeMs`; `pushLate` took nothing from before the first. Later ones go. */
  #rewind(timeMs: number): Snapshot {
    while (this.#snapshots.length > 1 && this.#snapshots.at(-1)!.atMs > timeMs) this.#snapshots.pop();
    return this.#snapshots.at(-1)!;
  }

  #takeFeatures(row: FeatureRow): void {
    const known = this.#before?.features.get(row.timeMs);
    this.#before?.features.delete(row.timeMs);
    if (known !== undefined && isEqual(known.features, row.features)) {
      this.#features.push({ after: this.#end, row: known });
      return;
    }
    const revised = known === undefined ? row : { ...row, revision: (known.revision ?? 0) + 1 };
    this.#features.push({ after: this.#end, row: revised });
    if (this.#before !== undefined) this.#options.counters.add("revisions.rows");
    this.#options.sink.features(revised);
  }

  #takeExample(example: Example): void {
    const known = this.#before?.examples.get(example.timeMs);
    this.#before?.examples.delete(example.timeMs);
    if (known?.label === example.label && isEqual(known.features, example.features)) {
      this.#examples.push({ after: this.#end, row: known });
      return;
    }
    const revised = known === undefined ? example : { ...example, revision: (known.revision ?? 0) + 1 };
    this.#examples.push({ after: this.#end, row: revised });
    this.#options.sink.example(revised);
  }

  #forgetOld(): void {
    const oldestMs = this.#watermarkMs - this.#options.allowedMs;
    while (this.#snapshots.length > 1 && this.#snapshots[1]!.atMs <= oldestMs) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#snapshots.shift();
    const first = this.#snapshots[0]?.inputs ?? this.#first;
    this.#inputs.splice(0, first - this.#first);
    this.#first = first;
    this.#told = this.#told.filter(({ after }) => after > first);
    forgetUntil(this.#features, first);
    forgetUntil(this.#examples, first);
  }
}

/** What is counted in a replay has been counted before. */
class ReplayCounters extends Counters {
  isReplay = false;
  readonly #counters: Counters;

  constructor(counters: Counters) {
    super();
    this.#counters = counters;
  }

  override add(name: string, amount?: number): void {
    if (!this.isReplay) this.#counters.add(name, amount);
  }
}

interface Before {
  readonly features: Map<number, FeatureRow>;
  readonly examples: Map<number, Example>;
}

interface SavedRevisions {
  readonly chain: Saved;
  readonly first: number;
  readonly inputs: readonly ChainInput[];
  readonly snapshots: readonly Snapshot[];
  readonly told: readonly Told[];
  readonly late: readonly ChainInput[];
  readonly features: readonly Output<FeatureRow>[];
  readonly examples: readonly Output<Example>[];
  readonly watermarkMs: number;
  readonly reviseMs: number;
}

function byTime(a: ChainInput, b: ChainInput): number {
  return a.row.timeMs - b.row.timeMs || a.node - b.node;
}

/** Takes out the labels heard after `inputs` inputs, each with the last of the `kept` inputs that came before it. */
function cutTold(
  told: Told[],
  inputs: number,
  kept: readonly ChainInput[],
): ReadonlyMap<ChainInput, readonly HeardLabel[]> {
  const byInput = new Map<ChainInput, HeardLabel[]>();
  const first = told.findIndex(({ after }) => after > inputs);
  for (const { after, heard } of first < 0 ? [] : told.splice(first)) {
    const input = kept[after - inputs - 1]!;
    byInput.set(input, [...(byInput.get(input) ?? []), heard]);
  }
  return byInput;
}

/** Takes out what came out after more than `inputs` inputs. */
function cutAfter<Row extends { readonly timeMs: number }>(
  outputs: Output<Row>[],
  inputs: number,
): Map<number, Row> {
  let at = outputs.length;
  while (at > 0 && outputs[at - 1]!.after > inputs) at -= 1;
  return new Map(outputs.splice(at).map(({ row }) => [row.timeMs, row]));
}

/** Forgets what no revision can reach. */
function forgetUntil(outputs: Output<unknown>[], inputs: number): void {
  let gone = 0;
  while (gone < outputs.length && outputs[gone]!.after <= inputs) gone += 1;
  outputs.splice(0, gone);
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
