// resample by the signal between readings: how long each value held, or the line from one to the next.

import type { Saved } from "../../state.js";
import type { PipelineRow, Value } from "../../types.js";
import type { StepContext, StepInstance } from "../port.js";

/**
 * `held`: each value until the next one, `spanMs` at most; its mean over a bin. `line`: straight from value to value,
 * `spanMs` apart at most; its mean over a bin. `point`: the same line, read at the bin's start.
 */
export interface SignalSpec {
  readonly kind: "held" | "line" | "point";
  readonly everyMs: number;
  readonly spanMs: number;
  /** Share of a bin that a mean must cover. */
  readonly minCover: number;
}

/** One row per bin that the signal reaches. Bins wait until no later reading can change them, `spanMs` at most. */
export class SignalResample implements StepInstance {
  readonly #spec: SignalSpec;
  readonly #context: StepContext;
  // Of each field: its last value, that value's time, and until when a held one has been drawn.
  #last: Float64Array;
  #lastMs: Float64Array;
  #drawnMs: Float64Array;
  // In order of time; those from the oldest that may still change up to the newest have no gap between them.
  #bins: Bin[] = [];
  // Start of the bin that is made next.
  #endMs = Number.NEGATIVE_INFINITY;
  #newest: PipelineRow | undefined;

  constructor(spec: SignalSpec, width: number, context: StepContext) {
    this.#spec = spec;
    this.#context = context;
    this.#last = new Float64Array(width).fill(Number.NaN);
    this.#lastMs = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
    this.#drawnMs = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  }

  push(row: PipelineRow): void {
    const { timeMs } = row;
    const lastMs = this.#newest?.timeMs ?? Number.NEGATIVE_INFINITY;
    if (this.#spec.kind === "held") this.#drawHeld(timeMs);
    else if (timeMs - lastMs <= this.#spec.spanMs) this.#makeBins(timeMs);
    // Beyond what is drawn over, bins would be empty.
    this.#endMs = Math.max(this.#endMs, this.#gridMs(timeMs));
    this.#makeBins(timeMs);
    this.#newest = row;
    row.values.forEach((value, field) => {
      if (typeof value === "number") this.#take(field, value, timeMs);
    });
    this.#emit(timeMs);
  }

  advance(watermarkMs: number): number {
    if (this.#spec.kind === "held") this.#drawHeld(this.#gridMs(watermarkMs));
    this.#emit(watermarkMs);
    return Math.min(this.#gridMs(watermarkMs), this.#openMs(watermarkMs));
  }

  dueMs(): number {
    const { kind, everyMs, spanMs } = this.#spec;
    const [oldest] = this.#bins;
    if (oldest === undefined) {
      const reachMs =
        kind === "held" ? spanMs + (this.#newest?.timeMs ?? Number.NEGATIVE_INFINITY) : -Infinity;
      return reachMs > this.#endMs ? this.#endMs + everyMs : Number.POSITIVE_INFINITY;
    }
    let dueMs = oldest.startMs + everyMs;
    if (kind === "held") return dueMs;
    for (const lastMs of this.#lastMs) {
      if (this.#unsettledMs(lastMs) <= oldest.startMs) dueMs = Math.max(dueMs, lastMs + spanMs + 1);
    }
    return dueMs;
  }

  /** The bin of the newest reading ends as if nothing came for a while; nothing is drawn beyond it. */
  flush(): void {
    if (this.#newest !== undefined && this.#spec.kind === "held") {
      this.#drawHeld(this.#gridMs(this.#newest.timeMs) + this.#spec.everyMs);
    }
    for (const bin of this.#bins.splice(0)) this.#emitBin(bin);
    this.#newest = undefined;
    this.#lastMs.fill(Number.NEGATIVE_INFINITY);
  }

  save(): Saved {
    const saved: SavedSignal = {
      last: this.#last,
      lastMs: this.#lastMs,
      drawnMs: this.#drawnMs,
      bins: this.#bins,
      endMs: this.#endMs,
      newest: this.#newest ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { last, lastMs, drawnMs, bins, endMs, newest } = saved as SavedSignal; // as `save` made it
    this.#last = last.slice();
    this.#lastMs = lastMs.slice();
    this.#drawnMs = drawnMs.slice();
    this.#bins = [...bins];
    this.#endMs = endMs;
    this.#newest = newest ?? undefined;
  }

  // Bins up to the one that holds `timeMs`.
  #makeBins(timeMs: number): void {
    const width = this.#last.length;
    while (this.#endMs <= timeMs) {
      this.#bins.push({
        startMs: this.#endMs,
        sums: new Float64Array(width),
        coverMs: new Float64Array(width),
        isMeasured: new Array<boolean>(width).fill(false),
      });
      this.#endMs += this.#spec.everyMs;
    }
  }

  #take(field: number, x: number, timeMs: number): void {
    const { kind, spanMs, everyMs } = this.#spec;
    const fromMs = this.#lastMs[field]!;
    const bin = this.#bins.at(-1)!;
    bin.isMeasured[field] = true;
    if (kind === "line" && timeMs - fromMs <= spanMs) this.#drawLine(field, x, timeMs);
    if (kind === "point" && timeMs - fromMs <= spanMs) this.#drawPoints(field, x, timeMs);
    if (kind === "point" && timeMs === bin.startMs) setPoint(bin, field, x, everyMs);
    this.#last[field] = x;
    this.#lastMs[field] = timeMs;
    this.#drawnMs[field] = timeMs;
  }

  // The held signal of every field up to `untilMs`.
  #drawHeld(untilMs: number): void {
    const { spanMs } = this.#spec;
    if (this.#newest === undefined) return;
    this.#makeBins(Math.min(untilMs, this.#newest.timeMs + spanMs) - 1);
    for (let field = 0; field < this.#last.length; field++) {
      const fromMs = this.#drawnMs[field]!;
      const toMs = Math.min(untilMs, this.#lastMs[field]! + spanMs);
      if (toMs <= fromMs) continue;
      const x = this.#last[field]!;
      this.#overBins(fromMs, toMs, (bin, aMs, bMs) => {
        bin.sums[field]! += x * (bMs - aMs);
        bin.coverMs[field]! += bMs - aMs;
      });
      this.#drawnMs[field] = toMs;
    }
  }

  #drawLine(field: number, x: number, timeMs: number): void {
    const fromMs = this.#lastMs[field]!;
    const from = this.#last[field]!;
    const slope = (x - from) / (timeMs - fromMs);
    this.#overBins(fromMs, timeMs, (bin, aMs, bMs) => {
      bin.sums[field]! += (from + slope * ((aMs + bMs) / 2 - fromMs)) * (bMs - aMs);
      bin.coverMs[field]! += bMs - aMs;
    });
  }

  #drawPoints(field: number, x: number, timeMs: number): void {
    const fromMs = this.#lastMs[field]!;
    const from = this.#last[field]!;
    this.#overBins(this.#unsettledMs(fromMs), timeMs, (bin) => {
      const part = (bin.startMs - fromMs) / (timeMs - fromMs);
      setPoint(bin, field, from + (x - from) * part, this.#spec.everyMs);
    });
  }

  // Each bin that [fromMs, toMs) touches, with the part that it touches.
  #overBins(fromMs: number, toMs: number, visit: (bin: Bin, aMs: number, bMs: number) => void): void {
    const { everyMs } = this.#spec;
    const newestMs = this.#endMs - everyMs;
    let at = this.#bins.length - 1 - (newestMs - this.#gridMs(fromMs)) / everyMs;
    for (; at < this.#bins.length && this.#bins[at]!.startMs < toMs; at++) {
      const bin = this.#bins[at]!;
      visit(bin, Math.max(fromMs, bin.startMs), Math.min(toMs, bin.startMs + everyMs));
    }
  }

  // What no reading at or after `nowMs` can change.
  #emit(nowMs: number): void {
    const openMs = this.#openMs(nowMs);
    let settled = 0;
    while (settled < this.#bins.length) {
      const { startMs } = this.#bins[settled]!;
      if (startMs >= openMs || startMs + this.#spec.everyMs > nowMs) break;
      settled += 1;
    }
    for (const bin of this.#bins.splice(0, settled)) this.#emitBin(bin);
  }

  // Start of the oldest bin that a line to a reading at or after `nowMs` could change.
  #openMs(nowMs: number): number {
    let openMs = Number.POSITIVE_INFINITY;
    if (this.#spec.kind === "held") return openMs;
    for (const lastMs of this.#lastMs) {
      if (lastMs + this.#spec.spanMs >= nowMs) openMs = Math.min(openMs, this.#unsettledMs(lastMs));
    }
    return openMs;
  }

  // Start of the first bin that a line from `lastMs` on would change.
  #unsettledMs(lastMs: number): number {
    const startMs = this.#gridMs(lastMs);
    return this.#spec.kind === "point" ? startMs + this.#spec.everyMs : startMs;
  }

  #emitBin({ startMs, sums, coverMs, isMeasured }: Bin): void {
    const { everyMs, minCover } = this.#spec;
    const values: Value[] = [];
    let filled: boolean[] | undefined;
    for (let field = 0; field < sums.length; field++) {
      const cover = coverMs[field]!;
      const hasValue = cover > 0 && cover >= minCover * everyMs;
      values.push(hasValue ? sums[field]! / cover : null);
      if (!hasValue || isMeasured[field]) continue;
      filled ??= new Array<boolean>(sums.length).fill(false);
      filled[field] = true;
    }
    if (values.every((value) => value === null)) return;
    const { entity, test } = this.#newest!;
    this.#context.emit({ entity, timeMs: startMs, values, filled, test });
  }

  #gridMs(timeMs: number): number {
    return Math.floor(timeMs / this.#spec.everyMs) * this.#spec.everyMs;
  }
}

/** What is known of one bin, field by field: the integral of the signal, and over how much time it was taken. */
interface Bin {
  readonly startMs: number;
  readonly sums: Float64Array;
  readonly coverMs: Float64Array;
  readonly isMeasured: boolean[];
}

interface SavedSignal {
  readonly last: Float64Array;
  readonly lastMs: Float64Array;
  readonly drawnMs: Float64Array;
  readonly bins: readonly Bin[];
  readonly endMs: number;
  readonly newest: PipelineRow | null;
}

// A point stands for its whole bin.
function setPoint(bin: Bin, field: number, x: number, everyMs: number): void {
  bin.sums[field] = x * everyMs;
  bin.coverMs[field] = everyMs;
}
