// Is an upload what it says, from who it says, and fit for the round it was announced for? All but the norm,
// which is the round's to judge.

import type { KeyObject } from "node:crypto";
import { unreachable } from "../../shared/assert.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Confusion, MetricSums } from "../../shared/model/metric.js";
import { norm } from "../../shared/params/vector.js";
import { readSummary, SUMMARY_BYTES } from "../../shared/pipeline/quantile-summary.js";
import type { QuantileNeeds } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { codecs } from "../../shared/wire/codec/registry.js";
import type { RejectionReason, RoundKind } from "../../shared/wire/message.js";
import type { Scratch } from "../../shared/wire/scratch.js";
import { verifyUpdate } from "../../shared/wire/signature.js";
import type { UpdateHeader } from "../../shared/wire/update.js";
import { unpackUpdate } from "../../shared/wire/update-frame.js";
import type { Verdict } from "../round/event.js";
import type { Upload } from "./staging.js";

/** What updates are measured against. */
export interface UpdateRules {
  readonly task: TaskId;
  /** Floats and fingerprint of the params. */
  readonly count: number;
  readonly fingerprint: string;
  /** Versions that an evaluate round scores beside its own. */
  readonly beside: number;
  /** Feature columns, without the label. */
  readonly columns: number;
  /** Which columns come with a summary of quantiles. */
  readonly quantiles: QuantileNeeds;
  /** Whether scores count decisions. */
  readonly isBinary: boolean;
  /** Most examples a device may hold. */
  readonly examplesMax: number;
}

/** Who must have sent it, on which base. */
export interface UpdateSender {
  readonly device: DeviceId;
  readonly publicKey: KeyObject;
  readonly signature: Uint8Array;
  /** Of the round's base; null in a fit round. */
  readonly modelSignature: string | null;
}

/** Everything around numbers and names in a frame, generously. */
const ENVELOPE_BYTES = 4_096;
/** A version's score, generously. */
const SCORE_BYTES = 512;
/** A float with its MessagePack tag. */
const NUMBER_BYTES = 9;

/** Most bytes that an update of `kind` can need. */
export function updateBytesMax(kind: RoundKind, { count, columns, quantiles, beside }: UpdateRules): number {
  switch (kind) {
    case "train":
      return ENVELOPE_BYTES + Math.max(...Object.values(codecs).map((codec) => codec.byteLength(count)));
    case "fit":
      return ENVELOPE_BYTES + (4 * NUMBER_BYTES + summaryBytesMax(quantiles)) * (columns + 1);
    case "evaluate":
      return ENVELOPE_BYTES + beside * SCORE_BYTES;
    default:
      return unreachable(kind);
  }
}

function summaryBytesMax({ features, label }: QuantileNeeds): number {
  return features || label ? SUMMARY_BYTES + NUMBER_BYTES : 0;
}

/** Judges a complete upload by its bytes. Never throws, whatever they are. */
export function verifyUpload(
  upload: Upload,
  bytes: Uint8Array,
  sender: UpdateSender,
  rules: UpdateRules & { readonly scratch?: Scratch },
): Verdict {
  const { device, updateId, round, sha256 } = upload;
  if (sha256Hex(bytes) !== sha256) return refuse("bad-checksum");
  const claim = { task: rules.task, device, round, updateId, sha256 };
  if (!verifyUpdate(sender.publicKey, claim, sender.signature)) return refuse("bad-signature");
  const update = unpackUpdate(bytes, rules.scratch);
  if (!update.ok) return refuse(update.reason);
  const { header, delta } = update;
  const deltaNorm = delta === undefined ? null : norm(delta);
  // Squares of finite floats, however many, fit a double: so only a delta that is not finite has no finite norm.
  if (deltaNorm !== null && !Number.isFinite(deltaNorm)) return refuse("not-finite");
  const reason = identityFault(header, upload, sender, rules) ?? contentFault(header, rules);
  if (reason !== undefined) return refuse(reason);
  return {
    ok: true,
    examples: header.examples,
    norm: deltaNorm,
    sums: header.evaluate,
    ...(header.beside && { beside: header.beside }),
  };
}

function refuse(reason: RejectionReason): Verdict {
  return { ok: false, reason };
}

/** The frame must say of itself what was announced: an old frame under a new round's name does not. */
function identityFault(
  header: UpdateHeader,
  upload: Upload,
  sender: UpdateSender,
  rules: UpdateRules,
): RejectionReason | undefined {
  if (header.task !== rules.task) return "wrong-task";
  if (header.device !== upload.device) return "wrong-device";
  if (header.kind !== upload.kind) return "wrong-kind";
  if (header.baseVersion !== upload.baseVersion) return "stale-base-version";
  if (header.round !== upload.round || header.examples !== upload.examples) return "malformed";
  if (header.modelSignature !== sender.modelSignature) return "wrong-model";
  if (header.train !== null && header.train.fingerprint !== rules.fingerprint) return "wrong-model";
  return undefined;
}

function contentFault(header: UpdateHeader, rules: UpdateRules): RejectionReason | undefined {
  const { train, fit, evaluate, examples } = header;
  if (train !== null && train.count !== rules.count) return "wrong-shape";
  if (fit !== null && fit.mean.length !== rules.columns + 1) return "wrong-shape";
  if (fit !== null && !isPlausible(fit, rules)) return "malformed";
  if (evaluate !== null && !areScores(evaluate, header, rules)) return "malformed";
  if ((fit?.count ?? examples) !== examples) return "malformed";
  if (examples === 0) return "no-examples";
  return examples > rules.examplesMax ? "too-many-examples" : undefined;
}

/** One of each version, over the same rows; one beside others may be of none, when its errors are no numbers. */
function areScores(own: MetricSums, { beside, examples, kind }: UpdateHeader, rules: UpdateRules): boolean {
  const others = beside?.sums ?? [];
  if (kind !== "evaluate" || others.length !== rules.beside) return false;
  const isSound = (sums: MetricSums) =>
    sums.rows === examples ? isScore(sums, rules) : others.length > 0 && isNoScore(sums);
  return [own, ...others].every(isSound);
}

function isNoScore({ confusion, ...sums }: MetricSums): boolean {
  return confusion === undefined && Object.values(sums).every((sum) => sum === 0);
}

function isScore(sums: NonNullable<UpdateHeader["evaluate"]>, { isBinary }: UpdateRules): boolean {
  const { rows, correct, squaredError, absoluteError, loss, confusion } = sums;
  if ((confusion !== undefined) !== isBinary) return false;
  if (confusion !== undefined && !isPartition(confusion, sums)) return false;
  return correct <= rows && squaredError >= 0 && absoluteError >= 0 && loss >= 0;
}

// Every row is right or wrong in one way.
function isPartition(confusion: Confusion, { rows, correct }: MetricSums): boolean {
  const { truePositives, falsePositives, falseNegatives } = confusion;
  return truePositives <= correct && correct + falsePositives + falseNegatives === rows;
}

type Statistics = NonNullable<UpdateHeader["fit"]>;

function isPlausible(fit: Statistics, { quantiles, columns }: UpdateRules): boolean {
  const { count, m2, min, max } = fit;
  if ((fit.quantiles !== undefined) !== (quantiles.features || quantiles.label)) return false;
  const needs = (column: number) => (column === columns ? quantiles.label : quantiles.features);
  if (fit.quantiles?.some((summary, column) => !isPlausibleSummary(summary, column, fit, needs)) === true)
    return false;
  return count === 0 || (m2.every((value) => value >= 0) && min.every((value, at) => value <= max[at]!));
}

// Between the column's extremes, as float32 has them.
function isPlausibleSummary(
  summary: Uint8Array,
  column: number,
  { min, max }: Statistics,
  needs: (column: number) => boolean,
): boolean {
  if (!needs(column)) return summary.length === 0;
  const points = readSummary(summary);
  if (points === undefined) return false;
  return points[0]! >= Math.fround(min[column]!) && points.at(-1)! <= Math.fround(max[column]!);
}
