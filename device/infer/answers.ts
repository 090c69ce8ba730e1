// What a model says on rows, and how long it took.

import type { Clock } from "../../shared/clock.js";
import { type Asked, askRows } from "../../shared/model/ask.js";
import type { Model } from "../../shared/model/runtime.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { BaseModel } from "../model/check.js";

/** Answers to some rows. */
export interface Answers extends Asked {
  readonly rows: number;
  readonly tookUs: number;
}

/** Asks `version`, whose params `model` has loaded. Throws what the engine throws. */
export function askModel(
  model: Model,
  { scaler }: BaseModel,
  rows: readonly FeatureRow[],
  clock: Clock,
): Answers {
  const startMs = clock.elapsed();
  const asked = askRows(
    model,
    scaler,
    rows.map(({ features }) => features),
  );
  return { ...asked, rows: rows.length, tookUs: Math.max(0, 1000 * (clock.elapsed() - startMs)) };
}
