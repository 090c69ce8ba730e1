// The whole way from readings to examples. Live data, a replay and training all come through here.

import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { admitReading } from "./admit.js";
import { Aligner } from "./aligner.js";
import { EntityChain } from "./entity-chain.js";
import { layOut } from "./layout.js";
import type { Example, FeatureRow, PipelineRow, Reading } from "./types.js";

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
}

/** Bounds on what a pipeline remembers. */
export interface PipelineLimits {
  /** Entities at once; beyond, the one that was silent for longest is forgotten. */
  readonly entities: number;
  /** Readings waiting for their turn; beyond, the oldest go first though older ones might still come. */
  readonly pending: number;
  /** Late readings kept aside. */
  readonly aside: number;
}

const DEFAULT_LIMITS: PipelineLimits = { entities: 10_000, pending: 100_000, aside: 1_000 };

/** Readings in, features and examples out. */
export interface Pipeline {
  /** Names of the model's inputs, in order. */
  readonly columns: readonly string[];
  /** Late readings kept aside by the policy `side`, oldest first. */
  readonly aside: readonly PipelineRow[];
  /**
   * Takes a reading. `eventNowMs` is the mapped clock (wall time, or replay time); without one, no reading is too far
   * in the future and only data moves event time.
   */
  push(reading: Reading, eventNowMs?: number): void;
  /** Time has passed on the mapped clock, perhaps without data. */
  advance(eventNowMs: number): void;
  /** The data has ended: everything closes, and nothing is invented after the last reading. Later data starts afresh. */
  flush(): void;
}

/**
 * A pipeline for a valid task. What comes out for an entity depends on its readings alone, not on the order of their
 * arrival within `disorder`. A second reading of one entity and time is dropped and counted: brokers deliver twice.
 */
export function createPipeline(task: Task, options: PipelineOptions): Pipeline {
  return new TaskPipeline(task, options);
}

class TaskPipeline implements Pipeline {
  readonly #layout: ReturnType<typeof layOut>;
  readonly #counters: Counters;
  readonly #limits: PipelineLimits;
  readonly #aligner: Aligner;
  readonly #makeChain: () => EntityChain;
  // Least recently heard first.
  readonly #chains = new Map<string, EntityChain>();
  #recent: { readonly entity: string; readonly chain: EntityChain } | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(task: Task, { counters, sink, limits }: PipelineOptions) {
    this.#layout = layOut(task);
    this.#counters = counters;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#aligner = new Aligner({
      late: task.sources[this.#layout.source]!.late,
      counters,
      maxPending: this.#limits.pending,
      maxAside: this.#limits.aside,
    });
    this.#makeChain = () => new EntityChain({ task, layout: this.#layout, counters, sink });
  }

  get columns(): readonly string[] {
    return this.#layout.columns;
  }

  get aside(): readonly PipelineRow[] {
    return this.#aligner.aside;
  }

  push(reading: Reading, eventNowMs?: number): void {
    if (reading.source !== this.#layout.source) {
      this.#counters.add("readings.unknown-source");
      return;
    }
    const row = admitReading(reading, this.#layout.fields, this.#counters);
    if (row === undefined) return;
    this.#aligner.offer(row, eventNowMs);
    this.#drain();
  }

  advance(eventNowMs: number): void {
    this.#aligner.advance(eventNowMs);
    this.#drain();
  }

  flush(): void {
    this.#aligner.finish();
    this.#drain();
    for (const chain of this.#chains.values()) chain.flush();
    this.#chains.clear();
    this.#recent = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #drain(): void {
    for (let row = this.#aligner.take(); row !== undefined; row = this.#aligner.take()) this.#process(row);
    if (this.#aligner.watermarkMs >= this.#dueMs) this.#advanceChains(this.#aligner.watermarkMs);
  }

  #process(row: PipelineRow): void {
    const chain = this.#chainOf(row.entity);
    if (!chain.push(row)) this.#counters.add("readings.duplicate");
    this.#dueMs = Math.min(this.#dueMs, chain.dueMs());
  }

  #advanceChains(watermarkMs: number): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    for (const chain of this.#chains.values()) {
      if (chain.dueMs() <= watermarkMs) chain.advance(watermarkMs);
      this.#dueMs = Math.min(this.#dueMs, chain.dueMs());
    }
  }

  #chainOf(entity: string): EntityChain {
    if (this.#recent?.entity === entity) return this.#recent.chain;
    const chain = this.#chains.get(entity) ?? this.#makeChain();
    // Deleted and set again: a map keeps the order of insertion, so the first is the one silent for longest.
    this.#chains.delete(entity);
    this.#chains.set(entity, chain);
    this.#recent = { entity, chain };
    if (this.#chains.size > this.#limits.entities) this.#evict();
    return chain;
  }

  #evict(): void {
    for (const entity of this.#chains.keys()) {
      this.#chains.delete(entity);
      this.#counters.add("entities.evicted");
      return;
    }
  }
}
