// An artefact as files, and back. `headwater.json` binds the others together: their hashes, the task, the scaler, the
// signed manifest and the lineage.

import { z } from "zod";
import { HeadwaterError, messageOf } from "../error.js";
import { type Lineage, runSchema, type Signed, verdictSchema } from "../lineage/record.js";
import type { ModelRuntime } from "../model/runtime.js";
import type { ParamSpec } from "../params/spec.js";
import { canonicalJson, sha256Hex } from "../task/canonical.js";
import { parseTaskSource } from "../task/parse.js";
import { headwaterVersion } from "../version.js";
import { manifestSchema, sha256Schema } from "../wire/message.js";
import { publicKeyFromRaw, rawPublicKey } from "../wire/signature.js";
import { type Artefact, checkArtefact, describeModel } from "./artefact.js";
import { mlmodel, modelCard } from "./card.js";
import { MODEL_FILE, modelJson, paramsOf, WEIGHTS_FILE, weightsOf } from "./tfjs-files.js";

/** The file that all others are listed in. */
export const INDEX_FILE = "headwater.json";
/** Ancestors in an artefact. */
const LINEAGE_MAX = 100;

/** File names and contents. */
export type Files = ReadonlyMap<string, Uint8Array>;

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const numbers = z.array(z.number());
const signedRun = z.object({ record: runSchema, sha256: sha256Schema, signature: base64 });
const signedVerdict = z.object({ record: verdictSchema, sha256: sha256Schema, signature: base64 });

const indexSchema = z.object({
  schema: z.literal("headwater/model/1"),
  /** The task's canonical JSON. */
  task: z.string(),
  columns: z.array(z.string()),
  output: z.record(z.string(), z.unknown()),
  scaler: z.object({
    offset: numbers,
    factor: numbers,
    label: z.object({ offset: z.number(), factor: z.number() }),
  }),
  manifest: manifestSchema.extend({ signature: base64 }),
  publicKey: base64,
  lineage: z.array(z.object({ run: signedRun, verdict: signedVerdict.optional() })),
  files: z.record(z.string(), sha256Schema),
});

/** The files of an artefact, each the same for the same artefact. `spec`: of its params. Throws as `checkArtefact`. */
export function artefactFiles(artefact: Artefact, spec: ParamSpec): Files {
  checkArtefact(artefact, spec);
  const { loaded, manifest, publicKey, params, scaler, lineage } = artefact;
  const { definition, columns } = describeModel(loaded, manifest.arm);
  const headwater = headwaterVersion();
  const files = new Map([
    [MODEL_FILE, utf8(modelJson(definition, spec, `headwater ${headwater}`))],
    [WEIGHTS_FILE, weightsOf(params)],
    ["README.md", utf8(modelCard(artefact))],
    ["MLmodel", utf8(mlmodel(artefact, headwater))],
  ]);
  const index: z.input<typeof indexSchema> = {
    schema: "headwater/model/1",
    task: loaded.source,
    columns: [...columns],
    output: { ...definition.output },
    scaler: { offset: [...scaler.offset], factor: [...scaler.factor], label: { ...scaler.label } },
    manifest: { ...manifest, signature: text64(manifest.signature) },
    publicKey: text64(rawPublicKey(publicKey)),
    lineage: lineage.slice(0, LINEAGE_MAX).map(({ run, verdict }) => ({
      run: packed(run),
      ...(verdict === undefined ? {} : { verdict: packed(verdict) }),
    })),
    files: Object.fromEntries([...files].map(([name, bytes]) => [name, sha256Hex(bytes)])),
  };
  return files.set(INDEX_FILE, utf8(`${JSON.stringify(index, null, 2)}\n`));
}

/**
 * The artefact that the files hold, once everything in it has been verified. Rejects with `data-invalid` naming the file
 * and what is wrong, `signature-invalid`, `task-invalid` or `model-unsupported`.
 */
export async function readArtefact(files: Files, runtime: ModelRuntime): Promise<Artefact> {
  const index = readIndex(fileOf(files, INDEX_FILE));
  for (const [name, sha256] of Object.entries(index.files)) {
    if (sha256Hex(fileOf(files, name)) !== sha256)
      throw new HeadwaterError(
        "data-invalid",
        `${name} is not the file that ${INDEX_FILE} lists: it was changed`,
      );
  }
  const loaded = parseTaskSource(index.task);
  const { definition } = describeModel(loaded, index.manifest.arm);
  checkTopology(fileOf(files, MODEL_FILE), definition.topology);
  const { spec } = await runtime.model(definition);
  const weights = fileOf(files, WEIGHTS_FILE);
  const params = paramsOf(weights, spec.count);
  if (params === undefined) {
    const message = `${WEIGHTS_FILE} has ${weights.length} bytes, not those of ${spec.count} params`;
    throw new HeadwaterError("data-invalid", message);
  }
  if (index.publicKey.length !== 32)
    throw new HeadwaterError("data-invalid", `${INDEX_FILE}: publicKey has not 32 bytes`);
  const lineage: readonly Lineage[] = index.lineage.map(({ run, verdict }) => ({ run, verdict }));
  const { scaler, manifest } = index;
  const artefact = {
    loaded,
    manifest,
    publicKey: publicKeyFromRaw(index.publicKey),
    params,
    scaler,
    lineage,
  };
  checkArtefact(artefact, spec);
  return artefact;
}

function readIndex(bytes: Uint8Array): z.infer<typeof indexSchema> {
  const parsed = indexSchema.safeParse(json(INDEX_FILE, bytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new HeadwaterError(
    "data-invalid",
    `${INDEX_FILE}: ${issue.path.join(".") || "file"}: ${issue.message}`,
  );
}

function checkTopology(bytes: Uint8Array, topology: object): void {
  const parsed = z.object({ modelTopology: z.unknown() }).safeParse(json(MODEL_FILE, bytes));
  if (parsed.success && canonicalJson(parsed.data.modelTopology) === canonicalJson(topology)) return;
  throw new HeadwaterError("data-invalid", `${MODEL_FILE} is not the model of the task in ${INDEX_FILE}`);
}

function fileOf(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined)
    throw new HeadwaterError("data-invalid", `it is no exported model: there is no ${name}`);
  return bytes;
}

function json(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new HeadwaterError("data-invalid", `${name} is not JSON: ${messageOf(cause)}`, { cause });
  }
}

function packed<Record>({
  record,
  sha256,
  signature,
}: Pick<Signed<never>, "sha256" | "signature"> & { record: Record }) {
  return { record, sha256, signature: text64(signature) };
}

function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf8"));
}

function text64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
