// kswin: the latest numbers against those before them, by their whole distribution.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { ksDistance, ksExactP } from "../two-sample/ks.js";
import { confidence } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

// Two samples may differ surely and yet hardly: too little to call a drift (Raab et al. 2020).
const LEAST_DISTANCE = 0.1;

const params = z
  .strictObject({
    alpha: confidence(0.00001).describe("Chance of a false drift, at most, at each check."),
    window: z.int().min(4).max(2_000).prefault(300).describe("Numbers kept."),
    recent: z
      .int()
      .min(2)
      .max(1_000)
      .prefault(100)
      .describe("The latest of them, compared with those before."),
    sample: z
      .int()
      .min(2)
      .max(2_000)
      .optional()
      .describe("So many of those before, evenly spaced. Default: all."),
    every: z.int().min(1).max(10_000).prefault(10).describe("Updates between checks."),
  })
  .refine(({ window, recent, sample = 1 }) => recent < window && sample <= window - recent, {
    error: '"recent" and "sample" must fit into "window" side by side',
  });

type Params = z.output<typeof params>;

/**
 * Kolmogorov-Smirnov windowing: Raab, Heusinger and Schleif 2020. They draw the sample of what came before by lot; here it is
 * all of it, or evenly spaced: no chance is involved, and nothing is thrown away.
 */
export const kswin: DetectorKind<Params> = {
  name: "kswin",
  doc: "Kolmogorov-Smirnov test within a sliding window: tells any change of the distribution, not of the mean alone. The dearest one.",
  input: "numbers",
  example: { params: { window: 300, recent: 100 } },
  moreExamples: [{ params: { alpha: 0.0001, window: 100, recent: 30, sample: 30, every: 1 } }],
  params,
  create: (params) => new Kswin(params),
  tellsRises: () => false,
  stateBytes: ({ window }) => 8 * window + 8,
};

/** Which `sample` of `length` numbers, the oldest first, are compared: their indices, at each check anew. */
type DrawIndices = (length: number, sample: number) => ArrayLike<number>;

function evenlySpaced(length: number, sample: number): readonly number[] {
  return Array.from({ length: sample }, (_, i) => Math.floor((i * length) / sample));
}

/** `draw` is there to be held against figures that were published with a lot: a task cannot name one. */
export class Kswin extends Detector {
  readonly #params: Params;
  readonly #draw: DrawIndices;
  #numbers: number[] = [];
  #updates = 0;

  constructor(params: Params, draw: DrawIndices = evenlySpaced) {
    super("numbers");
    this.#params = params;
    this.#draw = draw;
  }

  get updatesSinceChange(): number {
    return Math.max(1, Math.min(this.#numbers.length, this.#params.recent));
  }

  protected see(x: number): "ok" | "drift" {
    const { alpha, window, recent, every } = this.#params;
    this.#numbers.push(x);
    if (this.#numbers.length > window) this.#numbers.shift();
    this.#updates += 1;
    if (this.#numbers.length < window || this.#updates % every !== 0) return "ok";
    const latest = Float64Array.from(this.#numbers.slice(window - recent)).sort();
    const before = this.#before().sort();
    const distance = ksDistance(before, latest);
    if (distance <= LEAST_DISTANCE) return "ok";
    return ksExactP(distance, before.length, latest.length) <= alpha ? "drift" : "ok";
  }

  #before(): Float64Array {
    const { window, recent } = this.#params;
    const length = window - recent;
    const { sample = length } = this.#params;
    return Float64Array.from(this.#draw(length, sample), (i) => this.#numbers[i]!);
  }

  protected forget(): void {
    this.#numbers = [];
    this.#updates = 0;
  }

  protected saveNumbers(): Saved {
    return [this.#updates, Float64Array.from(this.#numbers)];
  }

  protected restoreNumbers(saved: Saved): void {
    const [updates, numbers] = saved as readonly [number, Float64Array]; // as `saveNumbers` made it
    this.#updates = updates;
    this.#numbers = [...numbers];
  }
}
