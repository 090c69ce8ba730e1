// Verified models on disk: the stable version, the one in trial, the stable one before, and the last round's base. Blobs
// are kept once each, by their hash, as long as one of the four names them.

import type { Database } from "../../shared/storage/port.js";
import { decodeMessage, encodeMessage, type Manifest, manifestSchema } from "../../shared/wire/message.js";
import type { HashedBlob } from "./hashed-blob.js";

/** What a kept model is for. */
export type ModelRole = "stable" | "trial" | "previous" | "base";

/** A model as it lies on disk: checked when it was kept, and to be checked again when it is used. */
export interface KeptModel {
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
}

/** What roles are to hold: null is nothing, and a role that is not named stays as it is. */
export type RoleChanges = Readonly<Partial<Record<ModelRole, Manifest | null>>>;

/** What changes together with roles. */
export interface Alongside {
  /** The blob of a manifest whose blob is not here yet. */
  readonly blob?: HashedBlob | undefined;
  /** Runs within the transaction. */
  readonly also?: (() => void) | undefined;
}

/** The models in `state.db`. Every change is one transaction. */
export class ModelCache {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The blob of that hash, if it is here. */
  blob(sha256: string): Uint8Array | undefined {
    const row = this.#database.get(`SELECT content FROM blob WHERE sha256 = ?`, sha256);
    return row?.content as Uint8Array | undefined; // declared BLOB NOT NULL in a STRICT table
  }

  /** The model in that role, or undefined when there is none or it cannot be read. */
  read(role: ModelRole): KeptModel | undefined {
    const row = this.#database.get(
      `SELECT manifest, content FROM model JOIN blob USING (sha256) WHERE role = ?`,
      role,
    );
    if (row === undefined) return undefined;
    const manifest = decodeMessage(manifestSchema, row.manifest as Uint8Array);
    return manifest && { manifest, blob: row.content as Uint8Array };
  }

  /** Puts models into roles. Every blob that is named must be here, or come along. */
  arrange(changes: RoleChanges, { blob, also }: Alongside = {}): void {
    this.#database.transaction(() => {
      if (blob !== undefined) {
        const { sha256, bytes } = blob;
        this.#database.run(`INSERT OR IGNORE INTO blob (sha256, content) VALUES (?, ?)`, sha256, bytes);
      }
      const changed = Object.entries(changes).map(([role, manifest]) => this.#put(role, manifest));
      if (changed.some((rows) => rows > 0))
        this.#database.run(`DELETE FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM model)`);
      also?.();
    });
  }

  /** Rows it has changed: none where the role holds that already. */
  #put(role: string, manifest: Manifest | null): number {
    if (manifest === null) return this.#database.run(`DELETE FROM model WHERE role = ?`, role);
    return this.#database.run(
      `INSERT INTO model (role, sha256, manifest) VALUES (?, ?, ?)
       ON CONFLICT (role) DO UPDATE SET sha256 = excluded.sha256, manifest = excluded.manifest
         WHERE (sha256, manifest) IS NOT (excluded.sha256, excluded.manifest)`,
      ...[role, manifest.sha256, encodeMessage(manifest)],
    );
  }
}
