// How a round's updates become one: a rule that folds them one by one.

/** What a rule sees of an update. */
export interface WeightedDelta {
  readonly delta: Float32Array;
  /** Examples behind it, at least 1. */
  readonly examples: number;
}

/**
 * One rule. A partial aggregate is changed by `fold` and `merge` and belongs to the caller; folding in any
 * order, or in parts merged later, gives the same aggregate but for the last bits, which fold order decides.
 */
export interface Aggregator<Partial> {
  readonly name: string;
  /** Nothing folded yet, for deltas of `count` floats. */
  start(count: number): Partial;
  /** Adds one update; does not keep its array. */
  fold(partial: Partial, update: WeightedDelta): Partial;
  /** Both, as if folded together. */
  merge(a: Partial, b: Partial): Partial;
  /** The aggregate, in double precision so that whoever applies it rounds once. At least one update. */
  finish(partial: Partial): Float64Array;
}
