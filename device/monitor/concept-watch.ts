// Watches how wrong one version is, label by label: a detector, and what it is fed.

import type { Counters } from "../../shared/counters.js";
import type { ConceptDetector, DetectorInput } from "../../shared/drift/concept/port.js";
import { createDetector, type DetectorCall, detectors } from "../../shared/drift/concept/registry.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import { AlarmEnd } from "./alarm-end.js";
import { type UsualError, usualErrorOf } from "./usual-error.js";

/** Errors that the usual one is taken from; a miss tells less than the size of an error. */
const USUAL_ERRORS = { sizes: 200, misses: 500 } as const;

/** What was found since the version was taken up. A drift stays until the error is what it was, or another version is served. */
export interface ConceptState {
  readonly status: "ok" | "warning" | "drift";
  readonly detections: number;
}

/** What an error has told: a drift, and how many labelled rows ago that began; or that there is none any more. */
export type ConceptNews = { readonly type: "began"; readonly rowsAgo: number } | { readonly type: "ended" };

/** Nothing was found. */
export const NO_CONCEPT: ConceptState = { status: "ok", detections: 0 };

/**
 * Feeds a detector with what it takes as independent: errors of telemetry resemble the ones before, and a detector that hears
 * them one by one cries wolf all day. So the first errors tell how long they resemble one another, and means of blocks twice
 * as long go in: shares of misses as they are, sizes as standard scores, or as e / (e + usual) where a detector takes shares. One
 * that takes scores hears of misses in scores too, and a detector of hits and misses the last of each block. Nothing is
 * told before the usual error is known. Of what a detector cannot tell, the end, `AlarmEnd` does; then a fresh detector begins.
 */
export class ConceptWatch implements Stateful {
  readonly #detector: ConceptDetector;
  readonly #input: DetectorInput;
  readonly #areMisses: boolean;
  /** Undefined: what the detector tells is more than a mean that rises, and it does not end by a mean. */
  readonly #end: AlarmEnd | undefined;
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
    const { call, areMisses } = options;
    const kind = detectors[call.kind];
    this.#detector = createDetector(call);
    this.#input = kind?.input ?? "numbers";
    this.#areMisses = areMisses;
    this.#end = kind?.tellsRises(call.params) ? new AlarmEnd({ areMisses }) : undefined;
    this.#counters = options.counters;
  }

  get state(): ConceptState {
    return this.#state;
  }

  /** How wrong the next labelled row was, and what that tells. */
  see(error: number): ConceptNews | undefined {
    if (this.#usual === undefined) return this.#learn(error);
    this.#blockSum += error;
    this.#blockErrors += 1;
    const { block } = this.#usual;
    if (this.#blockErrors < block) return undefined;
    const mean = this.#blockSum / block;
    this.#blockSum = 0;
    this.#blockErrors = 0;
    const verdict = this.#detector.update(this.#numberFor(this.#usual, mean, error));
    if (verdict === "drift") return this.#raise(block);
    if (verdict === "refused") this.#counters.add("monitor.errors-refused");
    else if (this.#state.status === "drift")
      return this.#end?.isOver(mean) ? this.#lift(this.#usual) : undefined;
    else {
      this.#end?.learn(mean);
      if (verdict !== this.#state.status) this.#state = { ...this.#state, status: verdict };
    }
    return undefined;
  }

  save(): Saved {
    const saved: SavedWatch = {
      detector: this.#detector.save(),
      first: Float64Array.from(this.#first),
      usual: this.#usual ?? null,
      block: [this.#blockSum, this.#blockErrors],
      state: this.#state,
      end: this.#end?.save() ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { detector, first, usual, block, state, end } = saved as SavedWatch; // as `save` made it
    this.#detector.restore(detector);
    this.#first = [...first];
    this.#usual = usual ?? undefined;
    [this.#blockSum, this.#blockErrors] = block;
    this.#state = state;
    this.#end?.restore(end);
  }

  #learn(error: number): undefined {
    this.#first.push(error);
    if (this.#first.length < USUAL_ERRORS[this.#areMisses ? "misses" : "sizes"]) return;
    this.#usual = usualErrorOf(Float64Array.from(this.#first));
    for (const mean of blockMeans(this.#first, this.#usual.block)) this.#end?.learn(mean);
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

  #raise(block: number): ConceptNews {
    const blocksSince = this.#detector.updatesSinceChange;
    this.#end?.raise({ blocksSince, errorsPerBlock: block });
    this.#state = { status: "drift", detections: this.#state.detections + 1 };
    return { type: "began", rowsAgo: block * blocksSince };
  }

  // The fresh detector hears at once what is usual: else a change that comes next would be all that it knows.
  #lift(usual: UsualError): ConceptNews {
    this.#detector.reset();
    if (this.#input !== "bits")
      for (const mean of this.#end?.usual ?? []) this.#detector.update(this.#numberFor(usual, mean, mean));
    this.#state = { ...this.#state, status: "ok" };
    this.#counters.add("monitor.alarms-ended");
    return { type: "ended" };
  }
}

interface SavedWatch {
  readonly detector: Saved;
  readonly first: Float64Array;
  readonly usual: UsualError | null;
  readonly block: [sum: number, errors: number];
  readonly state: ConceptState;
  readonly end: Saved;
}

/** Of whole blocks. */
function blockMeans(errors: readonly number[], block: number): readonly number[] {
  return Array.from({ length: Math.floor(errors.length / block) }, (_, at) => {
    const sum = errors.slice(at * block, (at + 1) * block).reduce((all, error) => all + error, 0);
    return sum / block;
  });
}
