// adwin: a window that keeps growing while its mean holds, and drops its older part when it does not.

import { z } from "zod";
import type { Saved } from "../../pipeline/state.js";
import { BucketWindow, type SavedWindow } from "./bucket-window.js";
import { confidence, type Side, side } from "./params.js";
import { Detector, type DetectorKind } from "./port.js";

const params = z.strictObject({
  delta: confidence(0.002).describe("Chance of a false cut, at most, at each check."),
  clock: z
    .int()
    .min(1)
    .max(10_000)
    .prefault(32)
    .describe("Updates between checks: 1 is soonest and dearest."),
  buckets: z
    .int()
    .min(2)
    .max(100)
    .prefault(5)
    .describe("Buckets kept of each size: more cut more precisely."),
  minSide: z.int().min(1).max(10_000).prefault(5).describe("Fewest updates on either side of a cut."),
  grace: z.int().min(1).max(100_000).prefault(10).describe("Updates before anything is said."),
  side,
});

type Params = z.output<typeof params>;

/**
 * Adaptive windowing: ADWIN2 of Bifet and Gavaldà 2007, sec. 4, with the bound for numbers of known variance. The window is
 * cut wherever its two parts differ by more than chance allows. Memory is logarithmic in the updates since the last change.
 * Told a side, a change to the other side only shortens the window: what follows is compared with what holds now.
 */
export const adwin: DetectorKind<Params> = {
  name: "adwin",
  doc: "Adaptive windowing: tells when two parts of the recent past differ in mean, and since when. The default: next to no false alarms, no threshold to choose.",
  input: "numbers",
  example: { params: { delta: 0.002 } },
  moreExamples: [{ params: { delta: 0.0001, clock: 1, side: "both" } }],
  params,
  create: (params) => new Adwin(params),
  tellsRises: ({ side }) => side === "up",
  // 2^48 updates, in rows of buckets that double.
  stateBytes: ({ buckets }) => 48 * (buckets + 1) * 16 + 40,
};

class Adwin extends Detector {
  readonly #params: Params;
  readonly #window: BucketWindow;
  #updates = 0;
  /** Updates until the last change that was told; undefined: none was. */
  #untilChange: number | undefined;

  constructor(params: Params) {
    super("numbers");
    this.#params = params;
    this.#window = new BucketWindow(params.buckets);
  }

  /**
   * Since the place where the two parts of the window differed most surely when the change was told. What is left of the window
   * then begins earlier as a rule: it is cut only where chance explains nothing.
   */
  get updatesSinceChange(): number {
    return this.#untilChange === undefined ? this.#window.width : this.#updates - this.#untilChange;
  }

  protected see(x: number): "ok" | "drift" {
    this.#window.add(x);
    this.#updates += 1;
    if (this.#updates % this.#params.clock !== 0 || this.#window.width <= this.#params.grace) return "ok";
    let isDrift = false;
    for (let change = this.#change(); change !== 0; change = this.#change()) {
      if (isTold(this.#params.side, change)) {
        if (!isDrift) this.#untilChange = this.#updates - this.#countSinceLikeliest();
        isDrift = true;
      }
      this.#window.dropOldest();
    }
    return isDrift ? "drift" : "ok";
  }

  // Of one change of the mean at a constant variance, the likeliest place (Hinkley 1970).
  #countSinceLikeliest(): number {
    let likeliest = { count: this.#window.width, gain: 0 };
    this.#window.firstCut((old, recent) => {
      const change = recent.mean - old.mean;
      const gain = (change * change * old.count * recent.count) / (old.count + recent.count);
      if (gain > likeliest.gain && isTold(this.#params.side, change))
        likeliest = { count: recent.count, gain };
      return false;
    });
    return likeliest.count;
  }

  /** New mean less old mean at the first cut that chance does not explain; 0 when there is none. */
  #change(): number {
    const { delta, minSide } = this.#params;
    const { width, variance } = this.#window;
    const logOdds = Math.log((2 * Math.log(width)) / delta);
    return this.#window.firstCut((old, recent) => {
      if (old.count < minSide || recent.count < minSide) return false;
      const inverse = 1 / (old.count - minSide + 1) + 1 / (recent.count - minSide + 1);
      const bound = Math.sqrt(2 * inverse * variance * logOdds) + (2 / 3) * logOdds * inverse;
      return Math.abs(recent.mean - old.mean) > bound;
    });
  }

  protected forget(): void {
    this.#window.clear();
    this.#updates = 0;
    this.#untilChange = undefined;
  }

  protected saveNumbers(): Saved {
    return [this.#updates, this.#untilChange ?? null, this.#window.save()];
  }

  protected restoreNumbers(saved: Saved): void {
    const [updates, untilChange, window] = saved as readonly [number, number | null, SavedWindow]; // as `saveNumbers` made it
    this.#updates = updates;
    this.#untilChange = untilChange ?? undefined;
    this.#window.restore(window);
  }
}

function isTold(side: Side, change: number): boolean {
  return side === "both" || (side === "up" ? change > 0 : change < 0);
}
