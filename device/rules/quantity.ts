// What a rule can be about: a column of the task, or what the model says.

import type { FeatureRow } from "../../shared/pipeline/types.js";
import { didYouMean } from "../../shared/task/suggest.js";
import type { Prediction } from "../fact.js";
import type { WatchedTask } from "../row-watcher.js";

const VALUE = "prediction.value";
const PROBABILITY = "prediction.probability";
const ANOMALY = "prediction.anomaly";

/** Reads the quantity off rows or off predictions. */
export type QuantityReader =
  | { readonly from: "features"; readonly read: (row: FeatureRow) => number }
  | { readonly from: "prediction"; readonly read: (prediction: Prediction) => number | null };

/** Finds a quantity in a task, or says why it is not there. */
export function findQuantity(
  of: string,
  task: WatchedTask,
): QuantityReader | { readonly from: "nowhere"; readonly why: string } {
  const { columns, hasProbability, hasAnomaly } = task;
  if (of === VALUE) return { from: "prediction", read: ({ value }) => value };
  if (of === PROBABILITY) {
    if (hasProbability) return { from: "prediction", read: ({ probability }) => probability };
    return { from: "nowhere", why: "the model of this task gives no probabilities" };
  }
  if (of === ANOMALY) {
    if (hasAnomaly) return { from: "prediction", read: ({ anomaly }) => anomaly };
    return { from: "nowhere", why: "this task has no threshold to call anything an anomaly" };
  }
  const position = columns.indexOf(of);
  if (position >= 0) return { from: "features", read: ({ features }) => features[position]! };
  const known = [
    VALUE,
    ...(hasProbability ? [PROBABILITY] : []),
    ...(hasAnomaly ? [ANOMALY] : []),
    ...columns,
  ];
  return { from: "nowhere", why: `the task has no column ${JSON.stringify(of)}${didYouMean(of, known)}` };
}
