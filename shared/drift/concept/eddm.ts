// eddm: errors that come closer together than they used to.

import { z } from "zod";
import { Moments } from "../../pipeline/moments.js";
import type { Saved } from "../../pipeline/state.js";
import { warmUp } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z
  .strictObject({
    warmUp: warmUp(30).describe("Errors before anything is said."),
    warning: z
      .number()
      .gt(0)
      .max(1)
      .prefault(0.95)
      .describe("Share of the best distance, below it a warning."),
    drift: z.number().gt(0).max(1).prefault(0.9).describe("Share of the best distance, below it a drift."),
  })
  .refine(({ warning, drift }) => warning >= drift, { error: '"warning" must not be below "drift"' });

type Params = z.output<typeof params>;

/** Early drift detection method: (p' + 2 s') / max(p' + 2 s') of distances between errors. Baena-García et al. 2006. */
export const eddm: DetectorKind<Params> = {
  name: "eddm",
  doc: "Early drift detection method: tells when errors come closer together. Kept for comparison: at its authors' thresholds it cries wolf some twenty times in 10,000 updates.",
  input: "bits",
  example: { params: { warning: 0.9, drift: 0.8 } },
  params,
  create: (params) => new Eddm(params),
  tellsRises: () => true,
  stateBytes: () => 88,
};

class Eddm extends Detector {
  readonly #params: Params;
  readonly #distances = new Moments();
  #count = 0;
  #lastError = 0;
  #best = -1;
  #countAtBest = 0;
  #isWarning = false;

  constructor(params: Params) {
    super("bits");
    this.#params = params;
  }

  get updatesSinceChange(): number {
    return this.#count - this.#countAtBest;
  }

  protected see(x: number): "ok" | "warning" | "drift" {
    this.#count += 1;
    if (x === 1) {
      this.#distances.add(this.#count - this.#lastError);
      this.#lastError = this.#count;
      if (this.#count > this.#params.warmUp && this.#judge() < this.#params.drift) return "drift";
    }
    // Between two errors nothing is learnt: the last word stands.
    return this.#isWarning ? "warning" : "ok";
  }

  /** How far apart errors are now, as a share of the most they ever were. */
  #judge(): number {
    const { count, mean, m2 } = this.#distances;
    const now = mean + 2 * Math.sqrt(count > 1 ? m2 / (count - 1) : 0);
    if (now > this.#best) {
      this.#best = now;
      this.#countAtBest = this.#count - 1;
      return 1;
    }
    if (count <= this.#params.warmUp) return 1;
    const share = now / this.#best;
    this.#isWarning = share < this.#params.warning;
    return share;
  }

  protected forget(): void {
    this.#distances.reset();
    this.#count = 0;
    this.#lastError = 0;
    this.#best = -1;
    this.#countAtBest = 0;
    this.#isWarning = false;
  }

  protected saveNumbers(): Saved {
    const numbers = [this.#count, this.#lastError, this.#best, this.#countAtBest];
    return [numbers, this.#distances.save(), this.#isWarning];
  }

  protected restoreNumbers(saved: Saved): void {
    // as `saveNumbers` made it
    const [numbers, distances, isWarning] = saved as readonly [readonly number[], readonly number[], boolean];
    [this.#count, this.#lastError, this.#best, this.#countAtBest] = numbers as [
      number,
      number,
      number,
      number,
    ];
    this.#distances.restore(distances);
    this.#isWarning = isWarning;
  }
}
