// Does it pay to wait for company? Learned from what computing has cost: a model that is much dearer alone than in a
// batch is worth waiting for, and only while others are likely to come.

/** A row alone must cost so much more than a row among others, in milliseconds. */
const SAVING_MS = 0.2;
/** A batch that shows what a row costs among others. */
const MANY_ROWS = 8;
/** By so much the least cost seen is doubted with every measurement. */
const FORGETTING = 1.01;
/** Weight of the newest measurement. */
const WEIGHT = 0.1;

/** Of recent requests: what computing costs when nothing comes between, and how far apart they are. */
export class Payoff {
  readonly #waitMs: number;
  #aloneMs: number | undefined;
  #amongMs: number | undefined;
  #apartMs: number | undefined;
  #lastMs: number | undefined;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** A request has come. */
  arrived(nowMs: number): void {
    if (this.#lastMs !== undefined) this.#apartMs = average(this.#apartMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** So many rows took so long. */
  computed(rows: number, tookMs: number): void {
    if (rows === 1) this.#aloneMs = floor(this.#aloneMs, tookMs);
    else if (rows >= MANY_ROWS) this.#amongMs = floor(this.#amongMs, tookMs / rows);
  }

  get isWorthWaiting(): boolean {
    const [alone, among, apart] = [this.#aloneMs, this.#amongMs, this.#apartMs];
    if (alone === undefined || among === undefined || apart === undefined) return false;
    return alone - among > SAVING_MS && apart < this.#waitMs;
  }
}

function average(before: number | undefined, now: number): number {
  return before === undefined ? now : before + WEIGHT * (now - before);
}

// Not the mean: what a busy machine does in between says nothing of the model.
function floor(before: number | undefined, now: number): number {
  return before === undefined ? now : Math.min(now, before * FORGETTING);
}
