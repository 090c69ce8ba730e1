// When an alarm about a version's error is over: once the error is again what it was before the change that was told.

import { assert } from "../../shared/assert.js";
import { rowsPerPoint } from "../../shared/drift/data/autocorrelation.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";

/** Blocks that are remembered: 8 kB. A change that took longer to be told than this is too small to be judged here. */
const REMEMBERED = 1024;
/** Independent blocks that a check is about, and that must be known of the time before the change. */
const CHECK = 64;
/** Checks that must be calm one after the other. */
const CALM_CHECKS = 3;
/** A lasting change that must not pass: what the size of a normal error rises by, in deviations, when residuals shift by one. */
const CHANGE = 0.6;
/** Standard errors between what passes a check and that. */
const SURENESS = 3;
/** Misses that a check would have, had they become one deviation more: else rare ones are absent from it by chance. */
const MISSES = 16;

/**
 * Compares means of blocks of errors: of a check's blocks since the alarm with all that are remembered from before the change. With
 * s = sqrt(1/before + 1/CHECK), the standard error of the difference in deviations of a block, a check is calm when it exceeds the
 * mean before by at most min(s, CHANGE - SURENESS s) deviations. Blocks count for as many independent ones as they are worth.
 *
 * Where nothing has changed, five checks of six are calm: an alarm lasts three checks at least, five as a rule. A lasting change by
 * `CHANGE` is 3.7 standard errors of three checks from what passes where the fewest blocks are known from before (as many as a check
 * has; an alarm of a younger version has no end), and 6 where all are; a change by one deviation is 6.4 and 11 from it.
 */
export class AlarmEnd implements Stateful {
  readonly #areMisses: boolean;
  /** Means of blocks while there was no alarm. */
  #usual: number[] = [];
  #check: Check | undefined;
  #sum = 0;
  #blocks = 0;
  #calm = 0;

  constructor(options: { readonly areMisses: boolean }) {
    this.#areMisses = options.areMisses;
  }

  /** Means of the blocks that an error is compared with, oldest first. */
  get usual(): readonly number[] {
    return this.#usual;
  }

  /** The mean of one more block; there is no alarm. */
  learn(mean: number): void {
    this.#usual.push(mean);
    if (this.#usual.length > REMEMBERED) this.#usual.shift();
  }

  /** An alarm: the latest `blocksSince` blocks, the one that tells it among them, belong to what has changed. One during another starts the checks anew. */
  raise(change: { readonly blocksSince: number; readonly errorsPerBlock: number }): void {
    [this.#sum, this.#blocks, this.#calm] = [0, 0, 0];
    if (this.#check !== undefined) return;
    const { blocksSince, errorsPerBlock } = change;
    this.#usual = this.#usual.slice(0, Math.max(0, this.#usual.length + 1 - blocksSince));
    this.#check = checkFor(Float64Array.from(this.#usual), this.#areMisses ? errorsPerBlock : undefined);
  }

  /** The mean of one more block while there is an alarm. Whether that is over. */
  isOver(mean: number): boolean {
    assert(this.#check !== undefined, "an alarm is there before it ends");
    this.#sum += mean;
    this.#blocks += 1;
    if (this.#blocks < this.#check.blocks) return false;
    const isCalm = this.#check.isKnown && this.#sum / this.#blocks <= this.#check.limit;
    [this.#sum, this.#blocks] = [0, 0];
    this.#calm = isCalm ? this.#calm + 1 : 0;
    if (this.#calm < CALM_CHECKS) return false;
    this.#check = undefined;
    this.#calm = 0;
    return true;
  }

  save(): Saved {
    const saved: SavedEnd = {
      usual: Float64Array.from(this.#usual),
      check: this.#check ?? null,
      progress: [this.#sum, this.#blocks, this.#calm],
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { usual, check, progress } = saved as SavedEnd; // as `save` made it
    this.#usual = [...usual];
    this.#check = check ?? undefined;
    [this.#sum, this.#blocks, this.#calm] = progress;
  }
}

/** What a check is: so many blocks, whose mean is calm up to the limit. Not known: nothing is calm. */
interface Check {
  readonly isKnown: boolean;
  readonly blocks: number;
  readonly limit: number;
}

interface SavedEnd {
  readonly usual: Float64Array;
  readonly check: Check | null;
  readonly progress: readonly [sum: number, blocks: number, calm: number];
}

/** `errorsPerBlock`: of misses. */
function checkFor(before: Float64Array, errorsPerBlock: number | undefined): Check {
  const time = rowsPerPoint(before) ?? 1;
  const independent = before.length / time;
  const isMiss = errorsPerBlock !== undefined;
  const { mean, deviation } = isMiss ? ofMisses(before, errorsPerBlock) : ofSizes(before);
  const error = Math.sqrt(1 / independent + 1 / CHECK);
  const limit = mean + deviation * Math.min(error, CHANGE - SURENESS * error);
  const blocks = Math.ceil(CHECK * time);
  if (independent < CHECK || !Number.isFinite(limit)) return { isKnown: false, blocks, limit: 0 };
  const enough = isMiss ? Math.ceil(MISSES / (errorsPerBlock * (mean + deviation))) : 0;
  return { isKnown: true, blocks: Math.max(blocks, enough), limit };
}

// Half of what the middle two thirds span: a few errors out of all proportion would make every change look small.
function ofSizes(before: Float64Array): { mean: number; deviation: number } {
  const sorted = before.toSorted();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { mean: meanOf(before), deviation: (at(0.8413) - at(0.1587)) / 2 };
}

// As if there had been one miss more: where there was none, it is not known how rare they are.
function ofMisses(before: Float64Array, errorsPerBlock: number): { mean: number; deviation: number } {
  const blocks = Float64Array.of(...before, 1 / errorsPerBlock);
  const mean = meanOf(blocks);
  const square = blocks.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(square / blocks.length) };
}

function meanOf(numbers: Float64Array): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
