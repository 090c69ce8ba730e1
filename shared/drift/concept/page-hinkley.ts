// page-hinkley: the sum of what numbers exceed their mean by, against the lowest it ever was.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { looksDown, looksUp, side, warmUp } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z.strictObject({
  delta: z
    .number()
    .min(0)
    .max(1e6)
    .prefault(0.1)
    .describe("Deviation that is let pass at each update, in the unit of what is watched."),
  threshold: z.number().gt(0).max(1e9).prefault(50).describe("Sum of deviations that is a drift."),
  alpha: z.number().gt(0).max(1).prefault(0.9999).describe("What is left of the sum at each update."),
  warmUp: warmUp(30),
  side,
});

type Params = z.output<typeof params>;

/**
 * Page's cumulative sum with Hinkley's running mean: Page 1954, Hinkley 1971. Its thresholds are in the unit of its input:
 * feed it standard scores.
 */
export const pageHinkley: DetectorKind<Params> = {
  name: "page-hinkley",
  doc: "Page-Hinkley test: tells when deviations from the running mean add up. For standard scores (mean 0, deviation 1 while all is well).",
  input: "scores",
  example: { params: { delta: 0.1, threshold: 50 } },
  moreExamples: [{ params: { side: "both" } }, { params: { side: "down", threshold: 20 } }],
  params,
  create: (params) => new PageHinkley(params),
  tellsRises: ({ side }) => side === "up",
  stateBytes: () => 64,
};

class PageHinkley extends Detector {
  readonly #params: Params;
  #count = 0;
  #mean = 0;
  #rise = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #countAtLowest = 0;
  #fall = 0;
  // Sums start at zero: a fall that begins with the first update counts from there.
  #highest = -1;
  #countAtHighest = 0;

  constructor(params: Params) {
    super("scores");
    this.#params = params;
  }

  get updatesSinceChange(): number {
    const { side } = this.#params;
    const isUp = side === "both" ? this.#rise - this.#lowest > this.#highest - this.#fall : side === "up";
    return Math.max(1, this.#count - (isUp ? this.#countAtLowest : this.#countAtHighest));
  }

  protected see(x: number): "ok" | "drift" {
    const { alpha, delta, threshold, warmUp, side } = this.#params;
    this.#count += 1;
    this.#mean += (x - this.#mean) / this.#count;
    const deviation = x - this.#mean;
    this.#rise = alpha * this.#rise + deviation - delta;
    this.#fall = alpha * this.#fall + deviation + delta;
    this.#keepExtremes();
    if (this.#count < warmUp) return "ok";
    const hasRisen = looksUp(side) && this.#rise - this.#lowest > threshold;
    const hasFallen = looksDown(side) && this.#highest - this.#fall > threshold;
    return hasRisen || hasFallen ? "drift" : "ok";
  }

  #keepExtremes(): void {
    if (this.#rise < this.#lowest) {
      this.#lowest = this.#rise;
      this.#countAtLowest = this.#count;
    }
    if (this.#fall > this.#highest) {
      this.#highest = this.#fall;
      this.#countAtHighest = this.#count;
    }
  }

  protected forget(): void {
    this.restoreNumbers([0, 0, 0, Number.POSITIVE_INFINITY, 0, 0, -1, 0]);
  }

  protected saveNumbers(): Saved {
    return [
      this.#count,
      this.#mean,
      this.#rise,
      this.#lowest,
      this.#countAtLowest,
      this.#fall,
      this.#highest,
      this.#countAtHighest,
    ];
  }

  protected restoreNumbers(saved: Saved): void {
    const numbers = saved as readonly number[]; // as `saveNumbers` made it
    this.#count = numbers[0]!;
    this.#mean = numbers[1]!;
    this.#rise = numbers[2]!;
    this.#lowest = numbers[3]!;
    this.#countAtLowest = numbers[4]!;
    this.#fall = numbers[5]!;
    this.#highest = numbers[6]!;
    this.#countAtHighest = numbers[7]!;
  }
}
