// hddm-a: the mean since the start against the mean up to the best cut, by Hoeffding's bound.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { confidence, looksDown, looksUp, side } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z
  .strictObject({
    drift: confidence(0.001).describe("Chance of a false drift, at most, at each update."),
    warning: confidence(0.005).describe("Chance of a false warning, at most, at each update."),
    side,
  })
  .refine(({ warning, drift }) => warning >= drift, { error: '"warning" must not be below "drift"' });

type Params = z.output<typeof params>;

/** A mean, and of how many. */
interface Mean {
  readonly count: number;
  readonly mean: number;
}

const NOTHING: Mean = { count: 0, mean: 0 };

/** Hoeffding's bounds with the A-test (moving averages): Frías-Blanco et al. 2015, algorithm 1. For abrupt changes. */
export const hddmA: DetectorKind<Params> = {
  name: "hddm-a",
  doc: "Hoeffding's bound on plain means: tells abrupt changes of an error rate soonest, with next to no false alarms.",
  input: "shares",
  example: { params: { drift: 0.001, warning: 0.005 } },
  moreExamples: [{ params: { side: "both" } }, { params: { side: "down" } }],
  params,
  create: (params) => new HddmA(params),
  tellsRises: ({ side }) => side === "up",
  stateBytes: () => 48,
};

class HddmA extends Detector {
  readonly #params: Params;
  #all = NOTHING;
  // The mean up to the cut where it was, with its bound, lowest; and highest.
  #lowest = NOTHING;
  #highest = NOTHING;

  constructor(params: Params) {
    super("shares");
    this.#params = params;
  }

  get updatesSinceChange(): number {
    const { side } = this.#params;
    const since = (cut: Mean) => this.#all.count - cut.count;
    if (side !== "both") return Math.max(1, since(side === "up" ? this.#lowest : this.#highest));
    const isUp = this.#all.mean - this.#lowest.mean > this.#highest.mean - this.#all.mean;
    return Math.max(1, since(isUp ? this.#lowest : this.#highest));
  }

  protected see(x: number): "ok" | "warning" | "drift" {
    const count = this.#all.count + 1;
    const all = { count, mean: this.#all.mean + (x - this.#all.mean) / count };
    this.#all = all;
    const isFirst = count === 1;
    if (isFirst || all.mean + this.#bound(all) <= this.#lowest.mean + this.#bound(this.#lowest))
      this.#lowest = all;
    if (isFirst || all.mean - this.#bound(all) >= this.#highest.mean - this.#bound(this.#highest))
      this.#highest = all;
    if (this.#hasChanged(this.#params.drift)) return "drift";
    return this.#hasChanged(this.#params.warning) ? "warning" : "ok";
  }

  #bound({ count }: Mean): number {
    return Math.sqrt(Math.log(1 / this.#params.drift) / (2 * count));
  }

  #hasChanged(confidence: number): boolean {
    const rise = this.#all.mean - this.#lowest.mean;
    const fall = this.#highest.mean - this.#all.mean;
    return (
      (looksUp(this.#params.side) && this.#exceeds(rise, this.#lowest, confidence)) ||
      (looksDown(this.#params.side) && this.#exceeds(fall, this.#highest, confidence))
    );
  }

  #exceeds(change: number, cut: Mean, confidence: number): boolean {
    if (cut.count === this.#all.count) return false;
    const inverse = (this.#all.count - cut.count) / cut.count / this.#all.count;
    return change >= Math.sqrt((inverse / 2) * Math.log(2 / confidence));
  }

  protected forget(): void {
    this.#all = NOTHING;
    this.#lowest = NOTHING;
    this.#highest = NOTHING;
  }

  protected saveNumbers(): Saved {
    return [this.#all, this.#lowest, this.#highest].flatMap(({ count, mean }) => [count, mean]);
  }

  protected restoreNumbers(saved: Saved): void {
    const numbers = saved as readonly number[]; // as `saveNumbers` made it
    const at = (i: number): Mean => ({ count: numbers[i]!, mean: numbers[i + 1]! });
    this.#all = at(0);
    this.#lowest = at(2);
    this.#highest = at(4);
  }
}
