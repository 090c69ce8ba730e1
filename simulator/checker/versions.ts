// The checker's own arithmetic on versions: each round's is exactly its base moved by the weighted mean of the
// updates that were accepted, every one of them once. Facts may say what they like.

import { readSummary } from "../../shared/pipeline/quantile-summary.js";
import type { ColumnStatistics } from "../../shared/pipeline/types.js";
import type { Task } from "../../shared/task/task.js";
import { decodeMessage, type Manifest, manifestSchema } from "../../shared/wire/message.js";
import { decodeModelBlob, type ModelContent } from "../../shared/wire/model-blob.js";
import type { Disk } from "../disk.js";
import type { LedgerUpdate } from "./ledger.js";
import type { Violations } from "./violations.js";

/** A half, and the error of a summary that was thinned to 27 points. */
const HALF = 0.5 + 1 / 54;
/** Sums in another order, rounded to float32 once. */
const TOLERANCE = 1e-5;

/** A version as it lies in the server's database. */
export interface StoredVersion extends ModelContent {
  readonly manifest: Manifest;
}

/** All versions ever stored. */
export class Versions {
  readonly #journal: Disk;
  readonly #task: Task;
  readonly #violations: Violations;
  readonly #stored = new Map<number, StoredVersion>();
  #last = 0;

  constructor(journal: Disk, task: Task, violations: Violations) {
    this.#journal = journal;
    this.#task = task;
    this.#violations = violations;
  }

  get(version: number): StoredVersion | undefined {
    return this.#stored.get(version);
  }

  /** Versions stored since the last call, oldest first. */
  read(): readonly StoredVersion[] {
    const rows = this.#journal.content.all(
      "SELECT version, sha256, manifest FROM versions WHERE version > ? ORDER BY version",
      this.#last,
    );
    const found: StoredVersion[] = [];
    for (const { version, sha256, manifest } of rows) {
      this.#last = Number(version);
      const stored = this.#decode(String(sha256), manifest as Uint8Array);
      if (stored === undefined) continue;
      this.#stored.set(this.#last, stored);
      found.push(stored);
    }
    return found;
  }

  /** A round is over and has brought `made`: is it what the round's updates come to? */
  check(round: number, updates: readonly LedgerUpdate[], made: StoredVersion): void {
    const [first] = updates;
    if (first?.header.kind === "fit") this.#checkFit(round, updates, made);
    if (first?.header.kind === "train") this.#checkFold(round, updates, made);
  }

  #decode(sha256: string, packed: Uint8Array): StoredVersion | undefined {
    const manifest = decodeMessage(manifestSchema, new Uint8Array(packed));
    const parts = this.#journal.content.all(
      "SELECT data FROM blob_parts WHERE sha256 = ? ORDER BY part",
      sha256,
    );
    const blob = decodeModelBlob(new Uint8Array(Buffer.concat(parts.map(({ data }) => data as Uint8Array))));
    const isSound = manifest !== undefined && blob.ok;
    this.#violations.expect(isSound, () => `version ${manifest?.version} is stored damaged`);
    return isSound ? { ...blob, manifest } : undefined;
  }

  #checkFold(round: number, updates: readonly LedgerUpdate[], { params, manifest }: StoredVersion): void {
    const base = this.#stored.get(manifest.parent);
    const weight = updates.reduce((sum, { header }) => sum + header.examples, 0);
    const { learningRate } = this.#task.aggregate.optimizer;
    const isRight = base?.params.every((start, i) => {
      const sum = updates.reduce(
        (total, { header, delta }) => total + header.examples * (delta?.[i] ?? 0),
        0,
      );
      return isNear(params[i]!, start + (learningRate * sum) / weight);
    });
    this.#violations.expect(
      isRight === true,
      () => `version ${manifest.version} is not what the ${updates.length} updates of round ${round} come to`,
    );
  }

  /** Of standard scaling offsets are means, of robust scaling medians; min-max scaling takes what was seen to its bounds. */
  #checkFit(round: number, updates: readonly LedgerUpdate[], { scaler, manifest }: StoredVersion): void {
    const { scale } = this.#task.features;
    const fits = updates.flatMap(({ header: { fit } }) => (fit === null ? [] : [fit]));
    const isRight = scaler.offset.every((offset, i) => {
      if (scale.kind === "standard") return isNear(offset, meanOf(fits, i));
      if (scale.kind === "robust") return isMedian(offset, fits, i);
      if (scale.kind !== "minmax") return true;
      const low = Math.min(...fits.map(({ min }) => min[i]!));
      const high = Math.max(...fits.map(({ max }) => max[i]!));
      const scaled = (value: number) => (value - offset) * scaler.factor[i]!;
      return low === high || (isNear(scaled(low), scale.low) && isNear(scaled(high), scale.high));
    });
    this.#violations.expect(
      isRight,
      () => `the scaler of version ${manifest.version} is not what round ${round} has counted`,
    );
  }
}

function meanOf(fits: readonly ColumnStatistics[], column: number): number {
  const count = fits.reduce((sum, fit) => sum + fit.count, 0);
  return fits.reduce((sum, fit) => sum + fit.count * fit.mean[column]!, 0) / count;
}

/** At most half of the fleet's examples lie on either side, but for what a server may thin out of many summaries. */
function isMedian(value: number, fits: readonly ColumnStatistics[], column: number): boolean {
  const total = fits.reduce((sum, fit) => sum + fit.count, 0);
  const share = (isBeside: (point: number) => boolean) =>
    fits.reduce((sum, { count, quantiles }) => {
      const points = readSummary(quantiles?.[column] ?? new Uint8Array()) ?? [];
      return sum + (count * points.filter(isBeside).length) / points.length;
    }, 0) / total;
  return share((point) => point < value) <= HALF && share((point) => point > value) <= HALF;
}

/** Equal, but for sums in another order. */
export function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
}
