// Runs a rule over a round's updates without holding more than one of them, or the event loop.

import type { Clock } from "../../shared/clock.js";
import type { Aggregator, WeightedDelta } from "./port.js";

/** Which updates, in which order, and how to get at them. */
export interface FoldPlan<Ref> {
  /** In fold order: bytewise by device id, so that the same updates give the same bits. */
  readonly updates: readonly Ref[];
  /** Floats of every delta. */
  readonly count: number;
  readonly read: (update: Ref) => Promise<WeightedDelta>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The aggregate. Other work gets its turn after every update. Rejects when `signal` aborts. */
export async function foldUpdates<Partial, Ref>(
  aggregator: Aggregator<Partial>,
  { updates, count, read, clock, signal }: FoldPlan<Ref>,
): Promise<Float64Array> {
  let partial = aggregator.start(count);
  for (const update of updates) {
    partial = aggregator.fold(partial, await read(update));
    await clock.turn();
    signal.throwIfAborted();
  }
  return aggregator.finish(partial);
}
