// A version from elsewhere, taken into the data folder of a server that does not run. It gets the next number and the
// server's own signature; its origin is in its run. Nothing is served or trained on because of it, unless that is asked for.

import { type Artefact, checkArtefact, describeModel } from "../../shared/artefact/artefact.js";
import { assert } from "../../shared/assert.js";
import type { Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { Manifest } from "../../shared/wire/message.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import type { ServerFolder } from "../host/server-folder.js";
import { ChunkFiles } from "../ingest/chunk-files.js";
import { ReceiptStore } from "../ingest/receipts.js";
import { Staging } from "../ingest/staging.js";
import { RunWriter } from "../lineage/run-writer.js";
import { LineageStore } from "../lineage/store.js";
import { defaultLimits } from "../options.js";
import type { Write } from "../round/command.js";
import { decide } from "../round/decide.js";
import { RoundHistory } from "../round/history.js";
import { replay } from "../round/journal.js";
import { policyOf } from "../round/policy.js";
import { initialState } from "../round/state.js";
import { SqliteJournal, type Stores } from "../storage.js";
import { Aliases } from "./aliases.js";
import { claimDatabase } from "./identity.js";
import { learningIdentity } from "./learning.js";
import { sealVersion } from "./seal.js";
import { VersionStore } from "./version-store.js";

export interface ImportOptions {
  /** Open, and so nobody else's. */
  readonly folder: ServerFolder;
  readonly artefact: Artefact;
  readonly runtime: ModelRuntime;
  readonly clock: Clock;
  /** A version of this folder that it counts as made from; 0: none. */
  readonly parent: number;
  /** Named versions are kept. */
  readonly alias: string;
  /** Training goes on from it. */
  readonly asHead: boolean;
}

/**
 * Takes the version in. Rejects, with no version changed, with `data-invalid` or `signature-invalid` when the artefact is not
 * what it says, `task-invalid` when the folder's versions mean something else, `config-invalid` when the alias cannot be given,
 * the parent is unknown, or training cannot go on from it yet: a round is open, or no candidate is selected.
 */
export async function importVersion(options: ImportOptions): Promise<Manifest> {
  const { folder, artefact, runtime, clock, parent, alias, asHead } = options;
  const { loaded } = artefact;
  new Aliases(folder.database).check(alias);
  const { arm } = artefact.manifest;
  const { definition } = describeModel(loaded, arm);
  const model = await runtime.model(definition);
  checkArtefact(artefact, model.spec);
  claimDatabase(folder.database, loaded, learningIdentity(loaded));
  const stores = storesOf(folder, artefact);
  if (parent !== 0 && stores.versions.manifest(parent) === undefined)
    throw new HeadwaterError("config-invalid", `parent: there is no version ${parent} (any more)`);
  const { journal, policy, state: before, recovered } = await loadJournal(folder, artefact, stores, clock);
  if (asHead && before.open !== null)
    throw new HeadwaterError(
      "config-invalid",
      `round ${before.open.round} is open: head cannot move before it has ended`,
    );
  if (asHead && loaded.task.candidates !== undefined && (before.selection?.winner ?? null) === null)
    throw new HeadwaterError(
      "config-invalid",
      "head cannot move before one of the task's candidates is selected",
    );
  const version = before.lastVersion + 1;
  const { manifest, blob } = sealAnew(options, version);
  const runs = new RunWriter({
    ...stores,
    ...folder,
    loaded,
    learning: { of: () => ({ definition, engine: model.engine }) },
  });
  const { publicKey, manifest: from } = artefact;
  const key = Buffer.from(rawPublicKey(publicKey)).toString("base64");
  const run = runs.write({
    ...{ manifest, scaler: artefact.scaler, kind: "import", round: 0, updates: [] },
    origin: { task: from.task, version: from.version, sha256: from.sha256, publicKey: key },
  });
  const event = { type: "version-imported", version, isHead: asHead, nowMs: clock.now() } as const;
  // What follows by itself is stored, and asked for when the server starts: here is nobody to be asked.
  const { state, writes } = decide(before, event, policy);
  assert(state.lastVersion === version, "an imported version is the newest");
  // All or nothing: a version without its name would be forgotten, one without its task's text not be explained.
  const taken: readonly Write[] = [
    { type: "version", manifest, blob, run },
    { type: "task-text", task: loaded },
    { type: "alias", name: alias, version },
  ];
  await journal.commit([...recovered, { event, state, writes: [...writes, ...taken] }]);
  return manifest;
}

function storesOf({ database, stagingFolder, keys, task }: ServerFolder, { loaded }: Artefact): Stores {
  return {
    staging: new Staging(database, new ChunkFiles(database, stagingFolder)),
    receipts: new ReceiptStore({ database, keys, task }),
    versions: new VersionStore(database),
    history: new RoundHistory(database),
    lineage: new LineageStore({ database, keys, task: loaded.task }),
  };
}

/** The state as a start would find it: what time it was away for does not count. */
async function loadJournal(
  { database, seed }: ServerFolder,
  { loaded }: Artefact,
  stores: Stores,
  clock: Clock,
) {
  const journal = new SqliteJournal(database, stores);
  const content = await journal.load();
  const nowMs = clock.now();
  if (content === undefined) {
    const policy = policyOf(loaded.task, { seed, maxDevices: defaultLimits.devices });
    await journal.begin(initialState, policy, nowMs);
    return { journal, policy, state: initialState, recovered: [] };
  }
  const event = { type: "recovered", downtimeMs: Math.max(0, nowMs - content.aliveMs), nowMs } as const;
  const before = replay(content);
  const { state, writes } = decide(before, event, content.policy);
  const { policy } = content;
  return { journal, policy, state, recovered: state === before ? [] : [{ event, state, writes }] };
}

function sealAnew({ folder, artefact, clock, parent }: ImportOptions, version: number) {
  const { params, scaler, manifest } = artefact;
  const { task, arm, fingerprint, modelSignature } = manifest;
  const name = { task, version, parent, arm, createdMs: clock.now() };
  return sealVersion(folder.keys, name, { params, scaler, fingerprint, modelSignature });
}
