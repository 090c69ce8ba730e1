// Where a model version comes from, as the server has signed it: how it was made (run), and what devices and the gate made
// of it (verdict). A record is its RFC 8785 JSON; its name is the SHA-256 of that text. A run names its parent's run, so
// that runs form a chain back to the first version that cannot be changed unnoticed.

import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { canonicalJson, sha256Hex } from "../task/canonical.js";
import { sha256Schema } from "../wire/message.js";
import { type RecordKind, signRecord, verifyRecord } from "../wire/signature.js";

const count = z.int().min(0);
const name = z.string().max(128);

/** More updates than any round can have. */
const UPDATES_MAX = 100_000;

/** Reasons for the end of a trial that are kept. */
export const REASONS_MAX = 64;

/** How a version was made. */
export const runSchema = z.object({
  schema: z.literal("headwater/run/1"),
  task: name,
  version: count,
  /** The version it was made from, and the hash of its run; 0 and null: none, or made before there were runs. */
  parent: count,
  parentRun: sha256Schema.nullable(),
  kind: z.enum(["initialise", "fit", "fold", "start", "revert", "import"]),
  /** 0 outside a round. */
  round: count,
  /** What went into it, by device: the hash of each update's frame. */
  updates: z
    .array(z.object({ device: name, updateId: name, sha256: sha256Schema, examples: count }))
    .max(UPDATES_MAX),
  hashes: z.object({
    task: sha256Schema,
    pipeline: sha256Schema,
    topology: sha256Schema,
    scaler: sha256Schema,
    /** Names and shapes of the params. */
    params: sha256Schema,
    modelSignature: sha256Schema,
    /** Of the version's content. */
    blob: sha256Schema,
  }),
  /** The task's own words on training, rounds and aggregation. */
  train: z.record(z.string(), z.unknown()),
  rounds: z.record(z.string(), z.unknown()),
  aggregate: z.record(z.string(), z.unknown()),
  /** SHA-256 of the server's root seed, and the seed that the round's devices were given. */
  seeds: z.object({ rootSha256: sha256Schema, round: z.string().nullable() }),
  /** Differential privacy; null: none was applied. */
  epsilon: z.number().nullable(),
  /** `engine`: drew the first params. Folding needs none. */
  code: z.object({ headwater: name, node: name, arch: name, platform: name, engine: name }),
  /** Of an import: the version that it was, and whose signature it bore. */
  origin: z.object({ task: name, version: count, sha256: sha256Schema, publicKey: name }).nullable(),
  times: z.object({ openedMs: count.nullable(), createdMs: count }),
});
export type RunManifest = z.infer<typeof runSchema>;

/** What a version's evaluate round and the gate said, and what became of its trial. */
export const verdictSchema = z.object({
  schema: z.literal("headwater/verdict/1"),
  task: name,
  version: count,
  /** The run that made it; null when it is not known. */
  run: sha256Schema.nullable(),
  metric: name,
  /** Of the version, and of the stable one it was compared with; null where there was none. */
  value: z.number().nullable(),
  reference: z.number().nullable(),
  passed: z.boolean(),
  evaluation: z
    .object({ round: count, rows: count, devices: count, metrics: z.record(z.string(), z.number()) })
    .nullable(),
  /** How its trial in service ended; null: none has. */
  trial: z
    .object({
      mode: z.enum(["shadow", "canary"]),
      step: count,
      outcome: z.enum(["promoted", "rolled-back"]),
      reasons: z.array(z.string().max(256)).max(REASONS_MAX),
    })
    .nullable(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** A record with its signature. */
export interface Signed<Record extends RunManifest | Verdict> {
  readonly record: Record;
  readonly sha256: string;
  readonly signature: Uint8Array;
}

/** All that is known of a version's making. */
export interface Lineage {
  readonly run: Signed<RunManifest>;
  /** Undefined before it was judged. */
  readonly verdict: Signed<Verdict> | undefined;
}

/** The record, named and signed. */
export function signLineage<Record extends RunManifest | Verdict>(
  privateKey: KeyObject,
  record: Record,
): Signed<Record> {
  const sha256 = nameOf(record);
  return { record, sha256, signature: signRecord(privateKey, { ...claimOf(record), sha256 }) };
}

/** What is wrong with a record, undefined when nothing is: its name is its content's and the server has signed it. */
export function faultOf(
  publicKey: KeyObject,
  { record, sha256, signature }: Signed<RunManifest | Verdict>,
): "wrong-hash" | "bad-signature" | undefined {
  if (nameOf(record) !== sha256) return "wrong-hash";
  return verifyRecord(publicKey, { ...claimOf(record), sha256 }, signature) ? undefined : "bad-signature";
}

/** The text that is hashed, and stored. */
export function textOf(record: RunManifest | Verdict): string {
  return canonicalJson(record);
}

function nameOf(record: RunManifest | Verdict): string {
  return sha256Hex(textOf(record));
}

function claimOf({ schema, task, version }: RunManifest | Verdict): {
  readonly kind: RecordKind;
  readonly task: string;
  readonly version: number;
} {
  return { kind: schema === "headwater/run/1" ? "run" : "verdict", task, version };
}
