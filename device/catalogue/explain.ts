// What a device still knows of a prediction: the prediction itself, the features it was made from, the model that made it.

import { Counters } from "../../shared/counters.js";
import { createPipeline } from "../../shared/pipeline/pipeline.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import { floatsOf } from "../examples/store.js";
import type { Prediction } from "../fact.js";
import { predictionOf } from "../infer/predictions.js";
import { type KeptModel, ModelCache } from "../model/cache.js";
import { loggedMessages } from "./export.js";
import { type FolderView, taskOf } from "./folder.js";
import { createReadingDecoder } from "./readings.js";

/** A row's features by name; how they are known. */
export interface KnownFeatures {
  /** `example`: stored with its label; `log`: computed anew from the logged messages. */
  readonly from: "example" | "log";
  readonly columns: readonly string[];
  readonly values: readonly number[];
}

/** Every prediction of that id that is still kept, newest first: versions may have taken turns over one row. */
export function findPredictions({ telemetry }: FolderView, id: string): readonly Prediction[] {
  return telemetry
    .all("SELECT * FROM prediction WHERE prediction_id = ? ORDER BY id DESC LIMIT 16", id)
    .map(predictionOf);
}

/** The features behind a prediction, undefined when neither their example nor their messages are kept (any more). */
export async function findFeatures(
  view: FolderView,
  { entity, timeMs }: Pick<Prediction, "entity" | "timeMs">,
): Promise<KnownFeatures | undefined> {
  const { columns } = planPipeline(taskOf(view).loaded.task);
  const row = view.telemetry.get(
    "SELECT features FROM example WHERE time_ms = ? AND entity = ? ORDER BY id DESC LIMIT 1",
    ...[timeMs, entity],
  );
  if (row?.features instanceof Uint8Array) {
    const values = [...floatsOf(row.features)];
    // Examples of another task before this one have other columns.
    if (values.length === columns.length) return { from: "example", columns, values };
  }
  const computed = await recompute(view, { entity, timeMs });
  return computed && { from: "log", columns, values: [...computed.features] };
}

/** The version's content, undefined when the device has gone on to others. */
export function findVersion({ state }: FolderView, version: number): KeptModel | undefined {
  const cache = new ModelCache(state);
  for (const role of ["stable", "trial", "previous", "base"] as const) {
    const kept = cache.read(role);
    if (kept?.manifest.version === version) return kept;
  }
  return undefined;
}

// All messages from the first on: what a window or a lag remembers may be from long before.
async function recompute(
  view: FolderView,
  { entity, timeMs }: Pick<Prediction, "entity" | "timeMs">,
): Promise<FeatureRow | undefined> {
  const { loaded, device } = taskOf(view);
  const decode = await createReadingDecoder(loaded.task, device);
  let found: FeatureRow | undefined;
  const features = (row: FeatureRow) => {
    if (row.entity === entity && row.timeMs === timeMs) found ??= row;
  };
  const pipeline = createPipeline(loaded.task, {
    counters: new Counters(),
    sink: { features, example: () => undefined },
  });
  for (const message of loggedMessages(view)) {
    for (const reading of decode(message)) pipeline.push(reading);
    if (found !== undefined) break;
  }
  if (found === undefined) pipeline.flush();
  return found;
}
