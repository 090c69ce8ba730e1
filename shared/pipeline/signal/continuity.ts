// Whether blocks of a stream follow one another without a gap.

import type { Saved, Stateful } from "../state.js";

/** Blocks of one stream. */
export interface StreamOptions {
  /** Samples of a block. */
  readonly length: number;
  readonly rateHz: number;
  /** How far a block's time may be off from where the last one ended; undefined: as much as is usual. */
  readonly jitterMs: number | undefined;
}

// Clocks of sensors are off by some percent, so that every block seems to begin a little early or late.
const USUAL_SHARE_OF_BLOCK = 0.05;
// Times are whole ms: the difference of two is off by up to one.
const ROUNDING_MS = 1;

/** The jitter allowed: at least a sample, the rounding of times, and 5 % of a block. */
export function jitterOf({ length, rateHz, jitterMs }: StreamOptions): number {
  const sampleMs = 1_000 / rateHz;
  return jitterMs ?? Math.max(sampleMs, ROUNDING_MS, USUAL_SHARE_OF_BLOCK * length * sampleMs);
}

/** Judges blocks in rising event time. */
export class Continuity implements Stateful {
  readonly #blockMs: number;
  readonly #jitterMs: number;
  #endMs: number | undefined;

  constructor(options: StreamOptions) {
    this.#blockMs = (1_000 * options.length) / options.rateHz;
    this.#jitterMs = jitterOf(options);
  }

  /** Takes the next block's time: is it the stream's first, next to the last one, or behind (or over) a gap? */
  take(timeMs: number): "first" | "next" | "gap" {
    const endMs = this.#endMs;
    this.#endMs = timeMs + this.#blockMs;
    if (endMs === undefined) return "first";
    return Math.abs(timeMs - endMs) <= this.#jitterMs ? "next" : "gap";
  }

  save(): Saved {
    return this.#endMs ?? null;
  }

  restore(saved: Saved): void {
    this.#endMs = (saved as number | null) ?? undefined; // as `save` made it
  }
}
