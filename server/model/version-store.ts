// Model versions and their blobs. Blobs are named by their content, so equal versions share one.

import { assert } from "../../shared/assert.js";
import type { Database } from "../../shared/storage/port.js";
import {
  CHUNK_BYTES_MAX,
  decodeMessage,
  encodeMessage,
  type Manifest,
  manifestSchema,
} from "../../shared/wire/message.js";
import { type OpenBlob, OpenBlobs } from "./open-blobs.js";

/** Versions in the server's database. */
export class VersionStore {
  readonly #database: Database;
  readonly #open = new OpenBlobs();

  constructor(database: Database) {
    this.#database = database;
  }

  manifest(version: number): Manifest | undefined {
    const row = this.#database.get("SELECT manifest FROM versions WHERE version = ?", version);
    if (!(row?.manifest instanceof Uint8Array)) return undefined;
    const manifest = decodeMessage(manifestSchema, new Uint8Array(row.manifest));
    assert(manifest !== undefined, `version ${version} was stored as a manifest`);
    return manifest;
  }

  /** Every version kept, newest first. */
  list(): Manifest[] {
    const rows = this.#database.all("SELECT version FROM versions ORDER BY version DESC");
    return rows.flatMap(({ version }) => this.manifest(Number(version)) ?? []);
  }

  /** Length of a blob, undefined when there is none of that name. */
  blobBytes(sha256: string): number | undefined {
    return this.#blob(sha256)?.bytes;
  }

  /** A part of a blob, shorter at its end; undefined when there is no blob of that name. Nobody writes to it. */
  readBlob(sha256: string, offset: number, length: number): Uint8Array | undefined {
    const blob = this.#blob(sha256);
    if (blob === undefined) return undefined;
    const end = Math.min(offset + length, blob.bytes);
    if (offset >= end) return new Uint8Array();
    const first = Math.floor(offset / CHUNK_BYTES_MAX);
    const last = Math.floor((end - 1) / CHUNK_BYTES_MAX);
    const firstAt = first * CHUNK_BYTES_MAX;
    if (first === last) return this.#part(sha256, blob, first).subarray(offset - firstAt, end - firstAt);
    const out = new Uint8Array(end - offset);
    for (let part = first; part <= last; part++) {
      const at = part * CHUNK_BYTES_MAX - offset;
      const data = this.#part(sha256, blob, part);
      out.set(data.subarray(Math.max(0, -at), end - offset - at), Math.max(0, at));
    }
    return out;
  }

  /** Part of the journal's transaction. */
  keep(manifest: Manifest, blob: Uint8Array): void {
    const { version, parent, sha256 } = manifest;
    // What a transaction writes is only there once it has ended well.
    this.#open.clear();
    const isNew = this.#storedBytes(sha256) === undefined;
    this.#database.run(
      "INSERT INTO versions (version, parent, sha256, manifest) VALUES (?, ?, ?, ?)",
      version,
      parent,
      sha256,
      encodeMessage(manifest),
    );
    if (!isNew) return;
    for (let part = 0; part * CHUNK_BYTES_MAX < blob.length; part++) {
      this.#database.run(
        "INSERT INTO blob_parts (sha256, part, data) VALUES (?, ?, ?)",
        sha256,
        part,
        blob.subarray(part * CHUNK_BYTES_MAX, (part + 1) * CHUNK_BYTES_MAX),
      );
    }
  }

  /** Part of the journal's transaction: forgets versions up to `through`, but for `kept`, what people have named, and their parents. */
  prune(through: number, kept: readonly number[]): void {
    const named = this.#database.all("SELECT version FROM aliases").map(({ version }) => Number(version));
    const needed = [...kept, ...named];
    const parents = needed.map((version) => this.manifest(version)?.parent ?? 0);
    const keep = JSON.stringify([...needed, ...parents]);
    const dropped = this.#database.run(
      "DELETE FROM versions WHERE version <= ? AND version NOT IN (SELECT value FROM json_each(?))",
      through,
      keep,
    );
    if (dropped === 0) return;
    this.#open.clear();
    this.#database.run("DELETE FROM blob_parts WHERE sha256 NOT IN (SELECT sha256 FROM versions)");
  }

  #blob(sha256: string): OpenBlob | undefined {
    const known = this.#open.get(sha256);
    if (known !== undefined) return known;
    const bytes = this.#storedBytes(sha256);
    return bytes === undefined ? undefined : this.#open.open(sha256, bytes);
  }

  #storedBytes(sha256: string): number | undefined {
    const row = this.#database.get("SELECT version FROM versions WHERE sha256 = ? LIMIT 1", sha256);
    return row === undefined ? undefined : this.manifest(Number(row.version))?.bytes;
  }

  #part(sha256: string, { parts }: OpenBlob, part: number): Uint8Array {
    const known = parts.get(part);
    if (known !== undefined) return known;
    const row = this.#database.get("SELECT data FROM blob_parts WHERE sha256 = ? AND part = ?", sha256, part);
    assert(row?.data instanceof Uint8Array, `part ${part} of blob ${sha256} is there`);
    const { buffer, byteOffset, byteLength } = row.data;
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    parts.set(part, data);
    return data;
  }
}
