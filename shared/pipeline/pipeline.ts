// The whole way from readings to examples. Live data, a replay and training all come through here.

import type { Counters } from "../counters.js";
import type { SourceSpec, Task } from "../task/task.js";
import { admitReading } from "./admit.js";
import { type Aligned, Aligner } from "./aligner.js";
import { type Chain, chainMaker } from "./chain.js";
import { admitLabel } from "./labels/admit.js";
import type { HeardLabel } from "./labels/labeller.js";
import { PendingBudget, pendingRowBytes } from "./labels/pending.js";
import { type Layout, layOut, type SourceLayout } from "./layout.js";
import { RevisingChain } from "./revising-chain.js";
import { Schedule } from "./schedule.js";
import type { Verdict } from "./source-watermark.js";
import type { Saved, Stateful } from "./state.js";
import type { Example, FeatureRow, PipelineRow, QuarantineItem, Reading } from "./types.js";

/** What a pipeline is given. */
export interface PipelineOptions {
  readonly counters: Counters;
  readonly sink: PipelineSink;
  readonly limits?: Partial<PipelineLimits>;
}

/** Takes what comes out: each entity's rows in rising event time, a row's features always before its example. */
export interface PipelineSink {
  features(row: FeatureRow): void;
  example(example: Example): void;
  /** A reading that was set aside, by a check or for its time. */
  quarantine?(item: QuarantineItem): void;
}

/** Bounds on what a pipeline remembers. */
export interface PipelineLimits {
  /** Entities at once; beyond, the one that was silent for longest is forgotten. */
  readonly entities: number;
  /** Readings waiting for their turn; beyond, the oldest go first though older ones might still come. */
  readonly pending: number;
  /** Rows of all entities that wait for their label, and their bytes; beyond, an entity's oldest go. */
  readonly unlabelledRows: number;
  readonly unlabelledBytes: number;
}

const DEFAULT_LIMITS: PipelineLimits = {
  entities: 10_000,
  pending: 100_000,
  unlabelledRows: 1_000_000,
  unlabelledBytes: 64 * 1024 * 1024,
};

/** Readings in, features and examples out. */
export interface Pipeline extends Stateful {
  /** Names of the model's inputs, in order. */
  readonly columns: readonly string[];
  /** Event time up to which readings are taken to be complete; -Infinity before the first. */
  readonly watermarkMs: number;
  /** Rows that wait for their label now, and about how much memory they take. */
  readonly unlabelled: { readonly rows: number; readonly bytes: number };
  /**
   * Takes a reading. `eventNowMs` is the mapped clock (wall time, or replay time); without one, no reading is too far
   * in the future and only data moves event time. What a source of labels says goes to the rows as it comes: it has no
   * place in event time.
   */
  push(reading: Reading, eventNowMs?: number): void;
  /** Time has passed on the mapped clock, perhaps without data. */
  advance(eventNowMs: number): void;
  /** The data has ended: everything closes, and nothing is invented after the last reading. Later data starts afresh. */
  flush(): void;
}

/**
 * A pipeline for a valid task. What comes out for an entity depends on its readings alone, not on the order of their
 * arrival within `disorder`. A second reading of one source, entity and time is dropped and counted: brokers deliver
 * twice.
 */
export function createPipeline(task: Task, options: PipelineOptions): Pipeline {
  return new TaskPipeline(task, options);
}

class TaskPipeline implements Pipeline {
  readonly #task: Task;
  readonly #layout: Layout;
  readonly #counters: Counters;
  readonly #sink: PipelineSink;
  readonly #limits: PipelineLimits;
  readonly #sources: readonly SourceEntry[];
  readonly #aligner: Aligner;
  readonly #budget: PendingBudget;
  readonly #makeChain: () => Chain;
  // Least recently heard first.
  readonly #chains = new Map<string, Chain>();
  readonly #schedule = new Schedule();
  /** Newest row of each shared source, for entities to come. */
  readonly #sharedRows = new Map<number, PipelineRow>();
  #recent: { readonly entity: string; readonly chain: Chain } | undefined;

  constructor(task: Task, { counters, sink, limits }: PipelineOptions) {
    this.#task = task;
    this.#layout = layOut(task);
    this.#counters = counters;
    this.#sink = sink;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#sources = sourceEntries(this.#layout);
    this.#aligner = new Aligner({
      late: this.#sources.map(({ name }) => task.sources[name]!.late),
      counters,
      maxPending: this.#limits.pending,
    });
    const { unlabelledRows: rows, unlabelledBytes: bytes } = this.#limits;
    const rowBytes = pendingRowBytes(this.#layout.columns.length, task.label);
    this.#budget = new PendingBudget({ rows, bytes, rowBytes });
    this.#makeChain = chainMaker(task, this.#layout, { counters, sink, budget: this.#budget });
  }

  get columns(): readonly string[] {
    return this.#layout.columns;
  }

  get watermarkMs(): number {
    return this.#aligner.watermarkMs;
  }

  get unlabelled(): { readonly rows: number; readonly bytes: number } {
    const { rows, bytes } = this.#budget;
    return { rows, bytes };
  }

  push(reading: Reading, eventNowMs?: number): void {
    const isLabel = reading.source === this.#layout.labelSource?.name;
    if (isLabel) this.#hear(reading, eventNowMs);
    const number = this.#sources.findIndex(({ name }) => name === reading.source);
    if (number >= 0) this.#take(number, reading, eventNowMs);
    else if (!isLabel) this.#counters.add("readings.unknown-source");
  }

  #take(number: number, reading: Reading, eventNowMs: number | undefined): void {
    const row = admitReading(reading, this.#sources[number]!.fields, this.#counters);
    if (row === undefined) return;
    // First what the clock says, so that a reading is judged alike whether or not the clock ticked just before it.
    if (eventNowMs !== undefined) this.#aligner.advance(eventNowMs);
    const aligned = { source: number, row, raw: reading.raw };
    const verdict = this.#aligner.offer(aligned, eventNowMs);
    if (verdict !== "fits") this.#refuse(aligned, verdict);
    this.#drain();
  }

  advance(eventNowMs: number): void {
    this.#aligner.advance(eventNowMs);
    this.#drain();
  }

  flush(): void {
    this.#aligner.finish();
    this.#drain();
    for (const chain of this.#chains.values()) chain.flush(this.#aligner.watermarkMs);
    this.#chains.clear();
    this.#schedule.clear();
    this.#sharedRows.clear();
    this.#recent = undefined;
  }

  save(): Saved {
    const saved: SavedPipeline = {
      aligner: this.#aligner.save(),
      chains: [...this.#chains].map(([entity, chain]) => [entity, chain.save()]),
      sharedRows: [...this.#sharedRows],
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { aligner, chains, sharedRows } = saved as SavedPipeline; // as `save` made it
    this.#aligner.restore(aligner);
    for (const [entity, state] of chains) {
      const chain = this.#makeChain();
      chain.restore(state);
      this.#chains.set(entity, chain);
      this.#schedule.plan(entity, chain.dueMs());
    }
    for (const [source, row] of sharedRows) this.#sharedRows.set(source, row);
  }

  #hear(reading: Reading, eventNowMs: number | undefined): void {
    if (eventNowMs !== undefined) this.advance(eventNowMs);
    const { watermarkMs } = this.#aligner;
    const progress = { watermarkMs, eventNowMs };
    const heard = admitLabel(reading, progress, { task: this.#task, counters: this.#counters });
    if (heard === undefined) return;
    const { label, sources } = this.#task;
    if (label.kind === "feedback" && label.match.kind === "id") this.#answer(heard);
    else if (!sources[reading.source]!.isShared) this.#tellEntity(reading.entity, heard);
    else for (const [entity, chain] of this.#chains) this.#tell(entity, chain, heard);
  }

  /** An id says which row is meant, whatever entity the reading itself is about. */
  #answer(heard: HeardLabel): void {
    for (const [entity, chain] of this.#chains) if (this.#tell(entity, chain, heard)) return;
    this.#counters.add("labels.unmatched");
  }

  // A label may come before the first row of its entity, but takes no other entity's place.
  #tellEntity(entity: string, heard: HeardLabel): void {
    const known = this.#chains.get(entity);
    if (known === undefined && this.#chains.size >= this.#limits.entities) {
      this.#counters.add("labels.no-entity");
      return;
    }
    const chain = known ?? this.#newChain(entity);
    this.#chains.set(entity, chain);
    this.#tell(entity, chain, heard);
  }

  #tell(entity: string, chain: Chain, heard: HeardLabel): boolean {
    const isKnown = chain.hear(heard);
    if (isKnown) this.#schedule.plan(entity, chain.dueMs());
    return isKnown;
  }

  #drain(): void {
    for (let next = this.#aligner.take(); next !== undefined; next = this.#aligner.take()) {
      if (this.#specOf(next.source).isShared) this.#share(next);
      else this.#process(this.#chainOf(next.row.entity), next);
    }
    const { watermarkMs } = this.#aligner;
    for (
      let entity = this.#schedule.takeDue(watermarkMs);
      entity !== undefined;
      entity = this.#schedule.takeDue(watermarkMs)
    ) {
      const chain = this.#chains.get(entity)!;
      chain.advance(watermarkMs);
      this.#schedule.plan(entity, chain.dueMs());
    }
  }

  #process(chain: Chain, { source, row, raw }: Aligned): void {
    if (!chain.push(this.#sources[source]!.node, row, raw)) this.#counters.add("readings.duplicate");
    this.#schedule.plan(row.entity, chain.dueMs());
  }

  #refuse(aligned: Aligned, reason: Exclude<Verdict, "fits">): void {
    const { late } = this.#specOf(aligned.source);
    const isRevisable = reason === "late" && late.then === "update";
    const outcome = isRevisable ? this.#revise(aligned) : reason;
    if (outcome === "taken") return;
    this.#counters.add(`readings.${outcome}`);
    if (late.then !== "side" || outcome === "duplicate") return;
    const { row, raw } = aligned;
    const { entity, timeMs } = row;
    const source = this.#sources[aligned.source]!.name;
    this.#sink.quarantine?.({ source, entity, timeMs, reason, field: undefined, value: null, raw });
  }

  #revise({ source, row }: Aligned): "taken" | "late" | "duplicate" {
    const chain = this.#chains.get(row.entity);
    if (!(chain instanceof RevisingChain)) return "late";
    const outcome = chain.pushLate(this.#sources[source]!.node, row, this.#aligner.watermarkMs);
    this.#schedule.plan(row.entity, chain.dueMs());
    return outcome;
  }

  #share(aligned: Aligned): void {
    this.#sharedRows.set(aligned.source, aligned.row);
    for (const [entity, chain] of this.#chains)
      this.#process(chain, { ...aligned, row: { ...aligned.row, entity } });
  }

  #specOf(source: number): SourceSpec {
    return this.#task.sources[this.#sources[source]!.name]!;
  }

  #chainOf(entity: string): Chain {
    if (this.#recent?.entity === entity) return this.#recent.chain;
    const chain = this.#chains.get(entity) ?? this.#newChain(entity);
    // Deleted and set again: a map keeps the order of insertion, so the first is the one silent for longest.
    this.#chains.delete(entity);
    this.#chains.set(entity, chain);
    this.#recent = { entity, chain };
    if (this.#chains.size > this.#limits.entities) this.#evict();
    return chain;
  }

  #newChain(entity: string): Chain {
    const chain = this.#makeChain();
    for (const [source, row] of this.#sharedRows)
      this.#process(chain, { source, row: { ...row, entity }, raw: undefined });
    return chain;
  }

  #evict(): void {
    for (const [entity, chain] of this.#chains) {
      this.#chains.delete(entity);
      this.#schedule.plan(entity, Number.POSITIVE_INFINITY);
      chain.drop();
      this.#counters.add("entities.evicted");
      return;
    }
  }
}

/** A source as the pipeline is fed from it. */
interface SourceEntry extends SourceLayout {
  /** Its node's number in the layout. */
  readonly node: number;
}

interface SavedPipeline {
  readonly aligner: Saved;
  readonly chains: readonly (readonly [entity: string, state: Saved])[];
  readonly sharedRows: readonly (readonly [source: number, row: PipelineRow])[];
}

function sourceEntries({ nodes }: Layout): readonly SourceEntry[] {
  return nodes.flatMap((node, i) => (node.kind === "source" ? [{ ...node.source, node: i }] : []));
}
