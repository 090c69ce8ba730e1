// Which chain an entity gets.

import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { type ChainSink, EntityChain } from "./entity-chain.js";
import { labellersOf } from "./labels/create.js";
import type { PendingBudget } from "./labels/pending.js";
import type { Layout } from "./layout.js";
import { RevisingChain } from "./revising-chain.js";

/** One entity's way through the pipeline. */
export type Chain = EntityChain | RevisingChain;

/** Makes chains; where late readings still count, such as can be revised. */
export function chainMaker(
  task: Task,
  layout: Layout,
  {
    counters,
    sink,
    budget,
  }: { readonly counters: Counters; readonly sink: ChainSink; readonly budget: PendingBudget },
): () => Chain {
  const createLabeller = labellersOf(task, layout);
  const makeChain = (counters: Counters, sink: ChainSink) =>
    new EntityChain({ task, layout, counters, sink, budget, createLabeller });
  const allowedMs = layout.sources.reduce(
    (most, { name }) => Math.max(most, task.sources[name]!.late.allowedMs),
    0,
  );
  if (allowedMs === 0) return () => makeChain(counters, sink);
  return () => new RevisingChain({ allowedMs, counters, sink, makeChain });
}
