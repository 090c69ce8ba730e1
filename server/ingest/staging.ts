// Uploads on their way in: announced, chunk by chunk, then whole. Never more of one than it announced, never
// more than one per device and round, never more in all than the limit.

import { assert } from "../../shared/assert.js";
import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { type ByteRange, missingRanges } from "../../shared/wire/chunk.js";
import type { RoundKind, UpMessage } from "../../shared/wire/message.js";

/** Most ranges in one `missing`. */
const RANGES_MAX = 256;

/** An announced upload. */
export interface Upload {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
  readonly round: number;
  readonly kind: RoundKind;
  readonly baseVersion: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly examples: number;
  /** Bytes and chunks that have arrived. */
  readonly received: number;
  readonly chunks: number;
}

/** Why a chunk was not taken. */
export type ChunkRefusal = "complete" | "out-of-range" | "overlap" | "too-many-chunks";

/** The staging area in the server's database. */
export class Staging {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(device: DeviceId, updateId: UpdateId): Upload | undefined {
    const row = this.#database.get(
      "SELECT * FROM uploads WHERE device = ? AND update_id = ?",
      device,
      updateId,
    );
    return row === undefined ? undefined : uploadOf(row);
  }

  /** Bytes announced by all uploads but `device`'s own, which a new one of it replaces. */
  reservedBytes(device: DeviceId): number {
    const sql = "SELECT COALESCE(SUM(bytes), 0) AS bytes FROM uploads WHERE device <> ?";
    return Number(this.#database.get(sql, device)?.bytes);
  }

  /** Makes room for a new upload. An earlier one of the device is dropped: it has made a new update instead. */
  announce(device: DeviceId, begin: UpMessage<"begin">): void {
    this.#database.transaction(() => {
      this.#database.run(
        `DELETE FROM uploads WHERE device = ?
         AND update_id NOT IN (SELECT update_id FROM updates WHERE device = ?)`,
        device,
        device,
      );
      this.#database.run(
        `INSERT INTO uploads (device, update_id, round, kind, base_version, bytes, sha256, examples)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        device,
        begin.updateId,
        begin.round,
        begin.kind,
        begin.baseVersion,
        begin.bytes,
        begin.sha256,
        begin.examples,
      );
    });
  }

  /** Keeps a chunk; undefined when it was taken. Chunks that overlap what is there are not: gaps are asked for. */
  add(upload: Upload, offset: number, data: Uint8Array): ChunkRefusal | undefined {
    const { device, updateId, bytes } = upload;
    if (upload.received === bytes) return "complete";
    if (offset + data.length > bytes) return "out-of-range";
    if (upload.chunks >= chunksMax(bytes)) return "too-many-chunks";
    if (this.#overlaps(upload, offset, data.length)) return "overlap";
    this.#database.transaction(() => {
      this.#database.run(
        "INSERT INTO chunks (device, update_id, start, length, data) VALUES (?, ?, ?, ?, ?)",
        device,
        updateId,
        offset,
        data.length,
        data,
      );
      this.#database.run(
        "UPDATE uploads SET received = received + ?, chunks = chunks + 1 WHERE device = ? AND update_id = ?",
        data.length,
        device,
        updateId,
      );
    });
    return undefined;
  }

  /** What has not arrived of an upload. */
  missing({ device, updateId, bytes, received }: Upload): [offset: number, length: number][] {
    if (received === bytes) return [];
    const rows = this.#database.all(
      "SELECT start, length FROM chunks WHERE device = ? AND update_id = ?",
      device,
      updateId,
    );
    const ranges = rows.map((row): ByteRange => [Number(row.start), Number(row.length)]);
    return missingRanges(ranges, bytes, RANGES_MAX);
  }

  /** All bytes of a complete upload; they belong to the caller. */
  assemble({ device, updateId, bytes }: Upload): Uint8Array {
    const whole = new Uint8Array(bytes);
    let filled = 0;
    const sql = "SELECT start, data FROM chunks WHERE device = ? AND update_id = ?";
    for (const { start, data } of this.#database.iterate(sql, device, updateId)) {
      assert(data instanceof Uint8Array, "a chunk holds bytes");
      whole.set(data, Number(start));
      filled += data.length;
    }
    assert(filled === bytes, `upload ${updateId}: ${filled} bytes of ${bytes}`);
    return whole;
  }

  /** Part of the journal's transaction: the upload is an accepted update now. */
  accept(update: {
    readonly round: number;
    readonly device: DeviceId;
    readonly updateId: UpdateId;
    readonly kind: RoundKind;
  }): void {
    this.#database.run(
      "INSERT INTO updates (round, device, update_id, kind) VALUES (?, ?, ?, ?)",
      update.round,
      update.device,
      update.updateId,
      update.kind,
    );
  }

  /** Part of the journal's transaction. */
  drop(device: DeviceId, updateId: UpdateId): void {
    this.#database.run("DELETE FROM uploads WHERE device = ? AND update_id = ?", device, updateId);
  }

  /** Part of the journal's transaction: neither uploads nor updates of the round, or before it, are needed. */
  endRound(round: number): void {
    this.#database.run("DELETE FROM updates WHERE round <= ?", round);
    this.#database.run("DELETE FROM uploads WHERE round <= ?", round);
  }

  #overlaps({ device, updateId }: Upload, offset: number, length: number): boolean {
    // Chunks do not overlap each other, so the last one that starts before our end is the only one that can.
    const row = this.#database.get(
      `SELECT start + length AS end FROM chunks
       WHERE device = ? AND update_id = ? AND start < ? ORDER BY start DESC LIMIT 1`,
      device,
      updateId,
      offset + length,
    );
    return row !== undefined && Number(row.end) > offset;
  }
}

/** Offers ask for chunks of 1024 bytes at least; a few may be cut shorter by gaps. */
function chunksMax(bytes: number): number {
  return 64 + bytes / 1024;
}

function uploadOf(row: Row): Upload {
  return {
    // Only our own writing is read here, so its shape is known.
    device: row.device as DeviceId,
    updateId: row.update_id as UpdateId,
    round: Number(row.round),
    kind: row.kind as RoundKind,
    baseVersion: Number(row.base_version),
    bytes: Number(row.bytes),
    sha256: String(row.sha256),
    examples: Number(row.examples),
    received: Number(row.received),
    chunks: Number(row.chunks),
  };
}
