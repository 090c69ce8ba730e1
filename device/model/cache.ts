// Verified models on disk: what is served, what was served before, and the last round's base. Blobs are kept
// once each, by their hash, as long as one of the three names them.

import type { Database } from "../../shared/storage/port.js";
import { decodeMessage, encodeMessage, type Manifest, manifestSchema } from "../../shared/wire/message.js";

/** What a kept model is for. */
export type ModelRole = "current" | "previous" | "base";

/** A model as it lies on disk: checked when it was kept, and to be checked again when it is used. */
export interface KeptModel {
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
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

  /** Serves a new version: what was served becomes `previous`. */
  promote(model: KeptModel): void {
    this.#database.transaction(() => {
      this.#database.run(`DELETE FROM model WHERE role = 'previous'`);
      this.#database.run(`UPDATE model SET role = 'previous' WHERE role = 'current'`);
      this.#put("current", model);
    });
  }

  /** The served version has failed: `previous` takes its place. */
  demote(): void {
    this.#database.transaction(() => {
      this.#database.run(`DELETE FROM model WHERE role = 'current'`);
      this.#database.run(`UPDATE model SET role = 'current' WHERE role = 'previous'`);
      this.#prune();
    });
  }

  /** Keeps the base of a round instead of the last one's. */
  keepBase(model: KeptModel): void {
    this.#database.transaction(() => this.#put("base", model));
  }

  /** Drops every model: they belong to another task. */
  clear(): void {
    this.#database.transaction(() => {
      this.#database.run(`DELETE FROM model`);
      this.#prune();
    });
  }

  #put(role: ModelRole, { manifest, blob }: KeptModel): void {
    const { sha256 } = manifest;
    this.#database.run(`INSERT OR IGNORE INTO blob (sha256, content) VALUES (?, ?)`, sha256, blob);
    this.#database.run(
      `INSERT OR REPLACE INTO model (role, sha256, manifest) VALUES (?, ?, ?)`,
      ...[role, sha256, encodeMessage(manifest)],
    );
    this.#prune();
  }

  #prune(): void {
    this.#database.run(`DELETE FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM model)`);
  }
}
