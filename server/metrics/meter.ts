// What a server's metrics need that nobody else keeps: counts of what has happened since the start, and how long.

import { Counters } from "../../shared/counters.js";
import { Histogram } from "../../shared/metrics/histogram.js";
import { metricValues } from "../../shared/model/metric.js";
import type { OutputSpec } from "../../shared/task/task.js";
import type { RoundKind } from "../../shared/wire/message.js";
import type { ServerFact } from "../fact.js";

/** A count by two words. */
type Pairs = Map<string, { readonly words: readonly [string, string]; count: number }>;

/** Counts facts and measures rounds. */
export class ServerMeter {
  /** By kind and outcome. */
  readonly rounds: Pairs = new Map();
  /** By outcome and reason. */
  readonly updates: Pairs = new Map();
  readonly versions = new Counters();
  readonly gate = new Counters();
  /** By mode and outcome. */
  readonly trials: Pairs = new Map();
  readonly retrains = new Counters();
  readonly durations = new Map<RoundKind, Histogram>();
  examples = 0;
  /** Of the newest version scored. */
  quality: Readonly<Record<string, number>> = {};
  readonly #output: OutputSpec;
  readonly #elapsed: () => number;
  #opened: { readonly round: number; readonly ms: number } | undefined;

  /** `elapsed` in milliseconds, as a clock's. */
  constructor(options: { readonly output: OutputSpec; readonly elapsed: () => number }) {
    this.#output = options.output;
    this.#elapsed = options.elapsed;
  }

  observe(fact: ServerFact): void {
    switch (fact.type) {
      case "round-opened":
        this.#opened = { round: fact.round, ms: this.#elapsed() };
        return;
      case "round-closed":
        this.#close(fact);
        return;
      case "update-accepted":
        this.examples += fact.examples;
        add(this.updates, "accepted", "");
        return;
      case "update-rejected":
        add(this.updates, "rejected", fact.reason);
        return;
      case "update-duplicate":
        add(this.updates, "duplicate", "");
        return;
      case "version-published":
        this.versions.add(fact.line);
        return;
      case "gate":
        this.gate.add(fact.passed ? "passed" : "failed");
        return;
      case "trial-ended":
        add(this.trials, fact.mode, fact.outcome);
        return;
      case "retraining":
        this.retrains.add(fact.reason);
        return;
      case "evaluated":
        this.quality = metricValues(fact.pooled, this.#output);
        return;
      default:
        return;
    }
  }

  #close({ round, kind, outcome }: Extract<ServerFact, { type: "round-closed" }>): void {
    add(this.rounds, kind, outcome);
    // One from before the start opened at a time that only the journal knows.
    if (this.#opened?.round !== round) return;
    const histogram = this.durations.get(kind) ?? new Histogram();
    this.durations.set(kind, histogram);
    histogram.observe((this.#elapsed() - this.#opened.ms) / 1000);
  }
}

function add(pairs: Pairs, first: string, second: string): void {
  const key = `${first}|${second}`;
  const entry = pairs.get(key) ?? { words: [first, second], count: 0 };
  entry.count++;
  pairs.set(key, entry);
}
