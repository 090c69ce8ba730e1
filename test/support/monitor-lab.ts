// A monitor without a device: versions, rows, answers and labels, made by hand.

import type { Verdicts } from "../../device/infer/predictor.js";
import type { BaseModel } from "../../device/model/check.js";
import { Monitor, type MonitorOptions } from "../../device/monitor/monitor.js";
import { Counters } from "../../shared/counters.js";
import { readAnswer } from "../../shared/model/answer.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { Example, FeatureRow, FittedScaler } from "../../shared/pipeline/types.js";
import { monitor as monitorSchema } from "../../shared/task/schema/monitor.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import { denseModel } from "./model.js";

export const COLUMNS = ["a", "b"];
export const regression = denseModel({ hidden: [] }, COLUMNS.length);
const scaler: FittedScaler = { offset: [0, 0], factor: [1, 1], label: { offset: 10, factor: 0.5 } };

/** `monitor` as a task has it. */
export function monitorSpec(written: object = {}): MonitorSpec {
  return monitorSchema.parse(written);
}

/** A version of that number; nobody looks at its params. */
export function versionOf(version: number): BaseModel {
  const manifest = { version, sha256: String(version).padStart(64, "0") } as BaseModel["manifest"];
  return { manifest, params: new Float32Array(), scaler };
}

/** A monitor of regressions over two columns. */
export function createMonitor(changes: Partial<MonitorOptions> = {}): Monitor {
  return new Monitor({
    ...{ spec: monitorSpec(), definition: regression, columns: COLUMNS, counters: new Counters() },
    examples: () => [],
    ...changes,
  });
}

export function rowAt(timeMs: number, a = 0, b = 0): FeatureRow {
  return { entity: "pump", timeMs, features: Float32Array.of(a, b), test: false };
}

/** What a version said on rows, as the model would have given it: scaled outputs, one per row. */
export function saidBy(
  version: BaseModel,
  outputs: readonly number[],
  definition: ModelDefinition = regression,
): Verdicts {
  const said = outputs.map((output) =>
    readAnswer(definition.output, version.scaler, Float32Array.of(output), new Float32Array()),
  );
  return {
    version,
    answers: {
      rows: outputs.length,
      x: new Float32Array(2 * outputs.length),
      outputs: Float32Array.from(outputs),
      broken: new Set(),
      tookUs: 10 * outputs.length,
    },
    said,
    values: Float64Array.from(said, ({ value }) => (Number.isFinite(value) ? value : Number.NaN)),
  };
}

/** The row with its label, in the label's own unit. */
export function labelled(row: FeatureRow, label: number): Example {
  return { ...row, label, persistence: null, split: "train" };
}
