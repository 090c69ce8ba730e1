// May this device work now? It decides for itself: by its data, and by whatever its owner asks of it.

import type { Split } from "../../shared/pipeline/types.js";
import type { RoundKind } from "../../shared/wire/message.js";

/** Why a device will not work, as it tells the server; at most as long as the wire allows. */
const REASON_MAX = 200;

/** What the decision rests on. */
export interface Readiness {
  /** Stored examples. */
  readonly counts: Readonly<Record<Split, number>>;
  /** Train examples the task asks for. */
  readonly minExamples: number;
  /** The owner's word: undefined, or why not (on battery, too hot, quiet hours). */
  readonly mayTrain: (() => string | undefined) | undefined;
}

/** Why this device will not work on a round of `kind`, or undefined when it will. */
export function refusalOf(kind: RoundKind, { counts, minExamples, mayTrain }: Readiness): string | undefined {
  if (kind === "evaluate" && counts.validation === 0) return "no validation examples";
  const needed = Math.max(1, minExamples);
  if (kind !== "evaluate" && counts.train < needed) {
    return `${counts.train} train examples, the task asks for ${needed}`;
  }
  return mayTrain?.()?.slice(0, REASON_MAX);
}
