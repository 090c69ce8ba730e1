// Watches how wrong one version is, label by label: a detector, and what it is fed.

import type { Counters } from "../../shared/counters.js";
import type { ConceptDetector } from "../../shared/drift/concept/port.js";
import { createDetector, type DetectorCall, detectors } from "../../shared/drift/concept/registry.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";

/** Errors that a version's usual error is taken from. */
const USUAL_ERRORS = 50;

/** What was found since the version was taken up. A drift stays until another version is. */
export interface ConceptState {
  readonly status: "ok" | "warning" | "drift";
  readonly detections: number;
}

/**
 * Feeds a detector. Hits and misses go in as they are. Errors are brought to a like size first, by the version's first
 * 50: as standard scores, or, where a detector takes shares, as e / (e + usual). So thresholds mean the same whatever is
 * predicted.
 */
export class ConceptWatch implements Stateful {
  readonly #detector: ConceptDetector;
  readonly #isShare: boolean;
  readonly #areDecisions: boolean;
  readonly #counters: Counters;
  // Of the first errors: how many, their mean, and the sum of squared deviations (Welford 1962).
  #usual: readonly [count: number, mean: number, squares: number] = [0, 0, 0];
  #state: ConceptState = { status: "ok", detections: 0 };

  constructor(options: {
    readonly call: DetectorCall;
    /** Errors are 0 or 1. */
    readonly areDecisions: boolean;
    readonly counters: Counters;
  }) {
    this.#detector = createDetector(options.call);
    this.#isShare = detectors[options.call.kind]?.input !== "numbers";
    this.#areDecisions = options.areDecisions;
    this.#counters = options.counters;
  }

  get state(): ConceptState {
    return this.#state;
  }

  /** How wrong the next labelled row was. Gives how many rows ago the change began, when it tells one. */
  see(error: number): number | undefined {
    const fed = this.#areDecisions ? error : this.#liken(error);
    if (fed === undefined) return undefined;
    const verdict = this.#detector.update(fed);
    const { status, detections } = this.#state;
    if (verdict === "refused") this.#counters.add("monitor.errors-refused");
    else if (verdict === "drift") {
      this.#state = { status: "drift", detections: detections + 1 };
      return this.#detector.updatesSinceChange;
    } else if (status !== "drift" && status !== verdict) this.#state = { status: verdict, detections };
    return undefined;
  }

  save(): Saved {
    return [this.#detector.save(), this.#usual, this.#state.status, this.#state.detections];
  }

  restore(saved: Saved): void {
    const [detector, usual, status, detections] = saved as SavedWatch; // as `save` made it
    this.#detector.restore(detector);
    this.#usual = usual;
    this.#state = { status, detections };
  }

  /** Undefined while it is not known what is usual. */
  #liken(error: number): number | undefined {
    const [count, mean, squares] = this.#usual;
    if (count < USUAL_ERRORS) {
      const next = mean + (error - mean) / (count + 1);
      this.#usual = [count + 1, next, squares + (error - mean) * (error - next)];
      return undefined;
    }
    if (this.#isShare) return error === 0 ? 0 : error / (error + mean);
    const deviation = Math.sqrt(squares / count);
    return (error - mean) / (deviation > 0 ? deviation : 1);
  }
}

type SavedWatch = readonly [
  detector: Saved,
  usual: readonly [number, number, number],
  status: ConceptState["status"],
  detections: number,
];
