// Uploads on their way in: announced, chunk by chunk, then whole. Never more of one than it announced, never
// more than one per device and round, never more in all than the limit.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { missingRanges } from "../../shared/wire/chunk.js";
import type { RoundKind, UpMessage } from "../../shared/wire/message.js";
import { Scratch } from "../../shared/wire/scratch.js";
import { ChunkTable } from "./chunk-table.js";
import type { Arrived, Chunks, UploadKey } from "./chunks.js";

/** Most ranges in one `missing`. */
const RANGES_MAX = 256;
/** Announcements remembered at once. */
const ANNOUNCED_MAX = 10_000;
/** How long what has arrived may be at the mercy of a power cut; what it takes is asked for again. */
const SECURE_EVERY_MS = 5_000;

/** An announced upload. */
export interface Upload extends UploadKey, Arrived {
  readonly round: number;
  readonly kind: RoundKind;
  readonly baseVersion: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly examples: number;
}

/** Why a chunk was not taken. */
export type ChunkRefusal = "complete" | "out-of-range" | "overlap" | "too-many-chunks";

/** The staging area: announcements in the server's database, bytes in `chunks` (default: there too). */
export class Staging {
  readonly #database: Database;
  readonly #chunks: Chunks;
  /** Announcements asked for since the last one was deleted: each chunk asks for its own. */
  readonly #announced = new Map<string, Row>();
  #securedMs = Number.NEGATIVE_INFINITY;

  constructor(database: Database, chunks: Chunks = new ChunkTable(database)) {
    this.#database = database;
    this.#chunks = chunks;
  }

  find(device: DeviceId, updateId: UpdateId): Upload | undefined {
    const row = this.#findRow(device, updateId);
    return row === undefined ? undefined : uploadOf(row, this.#chunks.arrived({ device, updateId }));
  }

  /** Bytes announced by all uploads but `device`'s own, which a new one of it replaces. */
  reservedBytes(device: DeviceId): number {
    const sql = "SELECT COALESCE(SUM(bytes), 0) AS bytes FROM uploads WHERE device <> ?";
    return Number(this.#database.get(sql, device)?.bytes);
  }

  /** Makes room for a new upload. An earlier one of the device is dropped: it has made a new update instead. */
  announce(device: DeviceId, begin: UpMessage<"begin">): void {
    this.#announced.clear();
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
    this.#chunks.sweep();
  }

  /** Keeps a chunk; undefined when it was taken. Chunks that overlap what is there are not: gaps are asked for. */
  add(upload: Upload, offset: number, data: Uint8Array): ChunkRefusal | undefined {
    const { bytes } = upload;
    if (upload.received === bytes) return "complete";
    if (offset + data.length > bytes) return "out-of-range";
    if (upload.chunks >= chunksMax(bytes)) return "too-many-chunks";
    if (this.#chunks.overlaps(upload, offset, data.length)) return "overlap";
    this.#chunks.add(upload, offset, data);
    return undefined;
  }

  /** Now and then, makes what has arrived outlive a power cut: all uploads together, in one transaction. */
  async secure(nowMs: number): Promise<void> {
    if (nowMs - this.#securedMs < SECURE_EVERY_MS && nowMs >= this.#securedMs) return;
    this.#securedMs = nowMs;
    const uploads = this.#chunks.unsynced();
    if (uploads.length === 0) return;
    for (const upload of uploads) await this.#chunks.sync(upload);
    this.#database.transaction(() => {
      for (const upload of uploads) this.#chunks.record(upload);
    });
  }

  /** Resolves when a complete upload will outlive a power cut as soon as it is accepted. */
  sync(upload: Upload): Promise<void> {
    return this.#chunks.sync(upload);
  }

  /** What has not arrived of an upload. */
  missing(upload: Upload): [offset: number, length: number][] {
    if (upload.received === upload.bytes) return [];
    return missingRanges(this.#chunks.ranges(upload), upload.bytes, RANGES_MAX);
  }

  /** All bytes of a complete upload; they belong to the caller, or lie in `scratch`. */
  assemble(upload: Upload, scratch = new Scratch()): Uint8Array {
    const whole = scratch.bytes(upload.bytes);
    this.#chunks.read(upload, whole);
    return whole;
  }

  /** The file that holds all of a complete upload, if a file does. */
  pathOf(upload: Upload): string | undefined {
    return this.#chunks.pathOf(upload);
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
    this.#chunks.record(update);
  }

  /** Part of the journal's transaction. */
  drop(device: DeviceId, updateId: UpdateId): void {
    this.#announced.clear();
    this.#database.run("DELETE FROM uploads WHERE device = ? AND update_id = ?", device, updateId);
  }

  /** Part of the journal's transaction: neither uploads nor updates of the round, or before it, are needed. */
  endRound(round: number): void {
    this.#announced.clear();
    this.#database.run("DELETE FROM updates WHERE round <= ?", round);
    this.#database.run("DELETE FROM uploads WHERE round <= ?", round);
  }

  /** After a transaction with `drop` or `endRound`: the bytes of what is gone go too. */
  sweep(): void {
    this.#chunks.sweep();
  }

  /** Lets go of open files. */
  close(): void {
    this.#chunks.close();
  }

  #findRow(device: DeviceId, updateId: UpdateId): Row | undefined {
    const name = `${device} ${updateId}`;
    const known = this.#announced.get(name);
    if (known !== undefined) return known;
    const sql = "SELECT * FROM uploads WHERE device = ? AND update_id = ?";
    const row = this.#database.get(sql, device, updateId);
    if (row !== undefined && this.#announced.size < ANNOUNCED_MAX) this.#announced.set(name, row);
    return row;
  }
}

/** Offers ask for chunks of 1024 bytes at least; a few may be cut shorter by gaps. */
function chunksMax(bytes: number): number {
  return 64 + bytes / 1024;
}

function uploadOf(row: Row, arrived: Arrived): Upload {
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
    ...arrived,
  };
}
