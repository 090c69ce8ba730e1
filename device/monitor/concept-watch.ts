// Watches how wrong one version is, label by label: a detector, and what it is fed.

import type { Counters } from "../../shared/counters.js";
import type { ConceptDetector, DetectorInput } from "../../shared/drift/concept/port.js";
import { createDetector, type DetectorCall, detectors } from "../../shared/drift/concept/registry.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import { type UsualError, usualErrorOf } from "./usual-error.js";

/** Errors that the usual one is taken from; a miss tells less than the size of an error. */
const USUAL_ERRORS = { sizes: 200, misses: 500 } as const;

/** What was found since the version was taken up. A drift stays until another version is. */
export interface ConceptState {
  readonly status: "ok" | "warning" | "drift";
  readonly detections: number;
}

/** Nothing was found. */
export const NO_CONCEPT: ConceptState = { status: "ok", detections: 0 };

/**
 * Feeds a detector with what it takes as independent: errors of telemetry resemble the ones before, and a detector that hears
 * them one by one cries wolf all day. So the first errors tell how long they resemble one another, and means of blocks twice
 * as long go in: shares of misses as they are, sizes as standard scores, or as e / (e + usual) where a detector takes shares. One
 * that takes scores hears of misses in scores too, and a detector of hits and misses the last of each block. Nothing is
 * told before the usual error is known.
 */
export class ConceptWatch implements Stateful {
  readonly #detector: ConceptDetector;
  readonly #input: DetectorInput;
  readonly #areMisses: boolean;
  readonly #counters: Counters;
  /** The first errors, until there are enough of them. */
  #first: number[] = [];
  #usual: UsualError | undefined;
  #blockSum = 0;
  #blockErrors = 0;
  #state = NO_CONCEPT;

  constructor(options: {
    readonly call: DetectorCall;
    /** Errors are 0 or 1. */
    readonly areMisses: boolean;
    readonly counters: Counters;
  }) {
    this.#detector = createDetector(options.call);
    this.#input = detectors[options.call.kind]?.input ?? "numbers";
    this.#areMisses = options.areMisses;
    this.#counters = options.counters;
  }

  get state(): ConceptState {
    return this.#state;
  }

  /** How wrong the next labelled row was. When it tells a drift: how many labelled rows ago that began. */
  see(error: number): number | undefined {
    if (this.#usual === undefined) return this.#learn(error);
    this.#blockSum += error;
    this.#blockErrors += 1;
    const { block } = this.#usual;
    if (this.#blockErrors < block) return undefined;
    const mean = this.#blockSum / block;
    this.#blockSum = 0;
    this.#blockErrors = 0;
    return this.#feed(this.#numberFor(this.#usual, mean, error), block);
  }

  save(): Saved {
    const saved: SavedWatch = {
      detector: this.#detector.save(),
      first: Float64Array.from(this.#first),
      usual: this.#usual ?? null,
      block: [this.#blockSum, this.#blockErrors],
      state: this.#state,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { detector, first, usual, block, state } = saved as SavedWatch; // as `save` made it
    this.#detector.restore(detector);
    this.#first = [...first];
    this.#usual = usual ?? undefined;
    [this.#blockSum, this.#blockErrors] = block;
    this.#state = state;
  }

  #learn(error: number): undefined {
    this.#first.push(error);
    if (this.#first.length < USUAL_ERRORS[this.#areMisses ? "misses" : "sizes"]) return;
    this.#usual = usualErrorOf(Float64Array.from(this.#first));
    this.#first = [];
  }

  #numberFor(usual: UsualError, mean: number, last: number): number {
    if (this.#input === "bits") return last;
    if (this.#input === "scores" || (this.#input === "numbers" && !this.#areMisses))
      return (mean - usual.mean) / usual.deviation;
    // Bounds like adwin's take it that one independent number can add 1: of rare misses, each is many deviations.
    if (this.#input === "numbers") return mean * usual.worth;
    if (this.#areMisses) return mean;
    return mean === 0 ? 0 : mean / (mean + usual.mean);
  }

  #feed(value: number, block: number): number | undefined {
    const verdict = this.#detector.update(value);
    const { status, detections } = this.#state;
    if (verdict === "refused") this.#counters.add("monitor.errors-refused");
    else if (verdict === "drift") {
      this.#state = { status: "drift", detections: detections + 1 };
      return block * this.#detector.updatesSinceChange;
    } else if (status !== "drift" && status !== verdict) this.#state = { status: verdict, detections };
    return undefined;
  }
}

interface SavedWatch {
  readonly detector: Saved;
  readonly first: Float64Array;
  readonly usual: UsualError | null;
  readonly block: [sum: number, errors: number];
  readonly state: ConceptState;
}
