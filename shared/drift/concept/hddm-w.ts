// hddm-w: a fading mean after the best cut against the fading mean before it, by McDiarmid's bound.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { confidence, looksDown, looksUp, side } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z
  .strictObject({
    drift: confidence(0.001).describe("Chance of a false drift, at most, at each update."),
    warning: confidence(0.005).describe("Chance of a false warning, at most, at each update."),
    lambda: z
      .number()
      .gt(0)
      .lt(1)
      .prefault(0.05)
      .describe("Weight of the newest number in a mean that fades."),
    side,
  })
  .refine(({ warning, drift }) => warning >= drift, { error: '"warning" must not be below "drift"' });

type Params = z.output<typeof params>;

/** Hoeffding's bounds with the W-test (fading means): Frías-Blanco et al. 2015, algorithm 2. For gradual changes. */
export const hddmW: DetectorKind<Params> = {
  name: "hddm-w",
  doc: "McDiarmid's bound on means that fade: like hddm-a, for changes that come gradually.",
  input: "shares",
  example: { params: { lambda: 0.05 } },
  moreExamples: [{ params: { side: "both" } }, { params: { side: "down", lambda: 0.01 } }],
  params,
  create: (params) => new HddmW(params),
  tellsRises: ({ side }) => side === "up",
  stateBytes: () => 7 * 3 * 8,
};

/** A fading mean. `independence` is the sum of its squared weights: McDiarmid's bound follows from it. */
interface Fading {
  readonly count: number;
  readonly mean: number;
  readonly independence: number;
}

const NOTHING: Fading = { count: 0, mean: 0, independence: 1 };

class HddmW extends Detector {
  readonly #params: Params;
  #all = NOTHING;
  // Up to where the mean with its bound was lowest, and since.
  #low = NOTHING;
  #sinceLow = NOTHING;
  #lowestBound = Number.POSITIVE_INFINITY;
  // Up to where the mean less its bound was highest, and since.
  #high = NOTHING;
  #sinceHigh = NOTHING;
  #highestBound = Number.NEGATIVE_INFINITY;

  constructor(params: Params) {
    super("shares");
    this.#params = params;
  }

  get updatesSinceChange(): number {
    const { side } = this.#params;
    const { count: up } = this.#sinceLow;
    const { count: down } = this.#sinceHigh;
    if (side !== "both") return Math.max(1, side === "up" ? up : down);
    // A mean of nothing yet is no fall to zero.
    const fall = down === 0 ? 0 : this.#high.mean - this.#sinceHigh.mean;
    return Math.max(1, this.#sinceLow.mean - this.#low.mean > fall ? up : down);
  }

  protected see(x: number): "ok" | "warning" | "drift" {
    this.#all = this.#fade(this.#all, x);
    const bound = this.#bound(this.#all.independence, this.#params.drift);
    this.#cutLow(x, this.#all.mean + bound);
    this.#cutHigh(x, this.#all.mean - bound);
    if (this.#hasChanged(this.#params.drift)) return "drift";
    return this.#hasChanged(this.#params.warning) ? "warning" : "ok";
  }

  #cutLow(x: number, bound: number): void {
    if (bound < this.#lowestBound) {
      this.#lowestBound = bound;
      this.#low = this.#all;
      this.#sinceLow = NOTHING;
    } else this.#sinceLow = this.#fade(this.#sinceLow, x);
  }

  #cutHigh(x: number, bound: number): void {
    if (bound > this.#highestBound) {
      this.#highestBound = bound;
      this.#high = this.#all;
      this.#sinceHigh = NOTHING;
    } else this.#sinceHigh = this.#fade(this.#sinceHigh, x);
  }

  #fade({ count, mean, independence }: Fading, x: number): Fading {
    const { lambda } = this.#params;
    return {
      count: count + 1,
      mean: count === 0 ? x : mean + lambda * (x - mean),
      independence: lambda * lambda + (1 - lambda) * (1 - lambda) * independence,
    };
  }

  #bound(independence: number, confidence: number): number {
    return Math.sqrt((independence * Math.log(1 / confidence)) / 2);
  }

  #hasChanged(confidence: number): boolean {
    const { side } = this.#params;
    return (
      (looksUp(side) && this.#exceeds(this.#sinceLow, this.#low, confidence)) ||
      (looksDown(side) && this.#exceeds(this.#high, this.#sinceHigh, confidence))
    );
  }

  #exceeds(above: Fading, below: Fading, confidence: number): boolean {
    if (above.count === 0 || below.count === 0) return false;
    return above.mean - below.mean > this.#bound(above.independence + below.independence, confidence);
  }

  protected forget(): void {
    this.#all = NOTHING;
    this.#low = NOTHING;
    this.#sinceLow = NOTHING;
    this.#lowestBound = Number.POSITIVE_INFINITY;
    this.#high = NOTHING;
    this.#sinceHigh = NOTHING;
    this.#highestBound = Number.NEGATIVE_INFINITY;
  }

  protected saveNumbers(): Saved {
    const means = [this.#all, this.#low, this.#sinceLow, this.#high, this.#sinceHigh];
    const numbers = means.flatMap(({ count, mean, independence }) => [count, mean, independence]);
    return [...numbers, this.#lowestBound, this.#highestBound];
  }

  protected restoreNumbers(saved: Saved): void {
    const numbers = saved as readonly number[]; // as `saveNumbers` made it
    const at = (i: number): Fading => ({
      count: numbers[3 * i]!,
      mean: numbers[3 * i + 1]!,
      independence: numbers[3 * i + 2]!,
    });
    this.#all = at(0);
    this.#low = at(1);
    this.#sinceLow = at(2);
    this.#high = at(3);
    this.#sinceHigh = at(4);
    this.#lowestBound = numbers[15]!;
    this.#highestBound = numbers[16]!;
  }
}
