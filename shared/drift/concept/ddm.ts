// ddm: an error rate that climbs some standard deviations above its best.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { warmUp } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z
  .strictObject({
    warmUp: warmUp(30),
    warning: z.number().gt(0).max(100).prefault(2).describe("Standard deviations above the best, to warn."),
    drift: z.number().gt(0).max(100).prefault(3).describe("Standard deviations above the best, for a drift."),
  })
  .refine(({ warning, drift }) => warning <= drift, { error: '"warning" must not be above "drift"' });

type Params = z.output<typeof params>;

/** Drift detection method: p + s > p_min + k s_min, over all errors since the last drift. Gama et al. 2004. */
export const ddm: DetectorKind<Params> = {
  name: "ddm",
  doc: "Drift detection method: tells when the error rate since the start climbs above the lowest it ever was. Slow to tell after a long calm.",
  input: "shares",
  example: { params: { warmUp: 30, warning: 2, drift: 3 } },
  params,
  create: (params) => new Ddm(params),
  tellsRises: () => true,
  stateBytes: () => 48,
};

class Ddm extends Detector {
  readonly #params: Params;
  #count = 0;
  #rate = 0;
  #bestRate = Number.POSITIVE_INFINITY;
  #bestDeviation = Number.POSITIVE_INFINITY;
  #countAtBest = 0;

  constructor(params: Params) {
    super("shares");
    this.#params = params;
  }

  get updatesSinceChange(): number {
    return this.#count - this.#countAtBest;
  }

  protected see(x: number): "ok" | "warning" | "drift" {
    this.#count += 1;
    this.#rate += (x - this.#rate) / this.#count;
    if (this.#count <= this.#params.warmUp) return "ok";
    const deviation = Math.sqrt(Math.max(0, (this.#rate * (1 - this.#rate)) / this.#count));
    const level = this.#rate + deviation;
    if (level <= this.#bestRate + this.#bestDeviation) {
      this.#bestRate = this.#rate;
      this.#bestDeviation = deviation;
      this.#countAtBest = this.#count - 1;
    }
    if (level > this.#bestRate + this.#params.drift * this.#bestDeviation) return "drift";
    return level > this.#bestRate + this.#params.warning * this.#bestDeviation ? "warning" : "ok";
  }

  protected forget(): void {
    this.restoreNumbers([0, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0]);
  }

  protected saveNumbers(): Saved {
    return [this.#count, this.#rate, this.#bestRate, this.#bestDeviation, this.#countAtBest];
  }

  protected restoreNumbers(saved: Saved): void {
    const [count, rate, bestRate, bestDeviation, countAtBest] = saved as readonly number[]; // as `saveNumbers` made it
    this.#count = count!;
    this.#rate = rate!;
    this.#bestRate = bestRate!;
    this.#bestDeviation = bestDeviation!;
    this.#countAtBest = countAtBest!;
  }
}
