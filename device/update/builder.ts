// From a round's work to an update: header, delta, frame, id. What is not finite never becomes one.

import type { DeviceId, TaskId, UpdateId } from "../../shared/id.js";
import { emptyMetricSums, isFiniteSums, type MetricSums } from "../../shared/model/metric.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { isAllFinite, subtract } from "../../shared/params/vector.js";
import type { ColumnStatistics } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Offer, RoundKind } from "../../shared/wire/message.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";
import type { BaseModel } from "../model/check.js";
import type { TrainResult } from "../train/trainer.js";

/** An update ready to be stored and sent. */
export interface BuiltUpdate {
  readonly updateId: UpdateId;
  readonly round: number;
  readonly kind: RoundKind;
  readonly baseVersion: number;
  /** Of the frame. */
  readonly sha256: string;
  readonly examples: number;
  readonly chunkBytes: number;
  readonly frame: Uint8Array;
}

/** Whose update, and for which round. */
export interface UpdateContext {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly offer: Offer;
}

/** The update of a train round, or undefined when training has diverged. */
export function buildTrainUpdate(
  context: UpdateContext,
  work: {
    readonly base: BaseModel;
    readonly spec: ParamSpec;
    readonly result: TrainResult;
    readonly examples: number;
  },
): BuiltUpdate | undefined {
  const { base, spec, result, examples } = work;
  const delta = subtract(result.params, base.params);
  if (!Number.isFinite(result.loss) || !isAllFinite(delta)) return undefined;
  const { steps, loss } = result;
  const train = { codec: "float32", count: delta.length, fingerprint: spec.fingerprint, steps, loss };
  return build(context, { ...headerOf(context, base, examples), train }, delta);
}

/** The update of an evaluate round, or undefined when the base's errors are not finite. */
export function buildEvaluateUpdate(
  context: UpdateContext,
  base: BaseModel,
  sums: MetricSums,
): BuiltUpdate | undefined {
  if (!isFiniteSums(sums)) return undefined;
  return build(context, { ...headerOf(context, base, sums.rows), evaluate: sums }, undefined);
}

/** What a version's errors on the device's held-out rows come to, and how long it took to find out. */
export interface Score {
  readonly sums: MetricSums;
  readonly elapsedMs: number;
}

/**
 * The update of an evaluate round with versions beside its own, whose score is the first: all on the same rows. A version
 * whose errors are not finite has none; undefined when that is so of every one.
 */
export function buildPairedUpdate(
  context: UpdateContext,
  base: BaseModel,
  scores: readonly Score[],
): BuiltUpdate | undefined {
  const [first, ...others] = scores.map(({ sums }) => (isFiniteSums(sums) ? sums : emptyMetricSums));
  const rows = Math.max(first?.rows ?? 0, ...others.map((sums) => sums.rows));
  if (first === undefined || rows === 0) return undefined;
  const beside = { sums: others, elapsedMs: scores.map(({ elapsedMs }) => elapsedMs) };
  return build(context, { ...headerOf(context, base, rows), evaluate: first, beside }, undefined);
}

/** The update of a fit round, or undefined when the statistics are not finite. */
export function buildFitUpdate(context: UpdateContext, fit: ColumnStatistics): BuiltUpdate | undefined {
  const { count, mean, m2, min, max, quantiles } = fit;
  if (![mean, m2, min, max].every((column) => column.every(Number.isFinite))) return undefined;
  const columns = {
    ...{ count, mean: [...mean], m2: [...m2], min: [...min], max: [...max] },
    ...(quantiles !== undefined && { quantiles: [...quantiles] }),
  };
  return build(context, { ...headerOf(context, undefined, count), fit: columns }, undefined);
}

function headerOf({ task, device, offer }: UpdateContext, base: BaseModel | undefined, examples: number) {
  return {
    task,
    device,
    round: offer.round,
    kind: offer.kind,
    baseVersion: base?.manifest.version ?? 0,
    modelSignature: base?.manifest.modelSignature ?? null,
    examples,
    train: null,
    evaluate: null,
    fit: null,
  };
}

function build(
  { task, device, offer }: UpdateContext,
  header: UpdateHeader,
  delta: Float32Array | undefined,
): BuiltUpdate {
  const frame = encodeUpdate(header, delta);
  const sha256 = sha256Hex(frame);
  const { round, kind, baseVersion, examples } = header;
  const updateId = updateIdOf({ task, device, round, sha256 });
  return { updateId, round, kind, baseVersion, sha256, examples, chunkBytes: offer.chunkBytes, frame };
}
