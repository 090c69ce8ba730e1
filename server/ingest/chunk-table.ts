// Chunks as rows of the server's database: each is as durable as the database once it is taken. For simulations,
// and for servers without a folder of their own.

import { assert } from "../../shared/assert.js";
import type { Database } from "../../shared/storage/port.js";
import type { ByteRange } from "../../shared/wire/chunk.js";
import type { Arrived, Chunks, UploadKey } from "./chunks.js";

/** Deleting an upload's row deletes its chunks (a foreign key of the schema). */
export class ChunkTable implements Chunks {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  arrived({ device, updateId }: UploadKey): Arrived {
    const sql = "SELECT received, chunks FROM uploads WHERE device = ? AND update_id = ?";
    const row = this.#database.get(sql, device, updateId);
    return { received: Number(row?.received ?? 0), chunks: Number(row?.chunks ?? 0) };
  }

  ranges({ device, updateId }: UploadKey): readonly ByteRange[] {
    const sql = "SELECT start, length FROM chunks WHERE device = ? AND update_id = ? ORDER BY start";
    const rows = this.#database.all(sql, device, updateId);
    return rows.map((row) => [Number(row.start), Number(row.length)]);
  }

  overlaps({ device, updateId }: UploadKey, offset: number, length: number): boolean {
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

  add({ device, updateId }: UploadKey, offset: number, data: Uint8Array): void {
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
  }

  read({ device, updateId }: UploadKey, target: Uint8Array): void {
    let filled = 0;
    const sql = "SELECT start, data FROM chunks WHERE device = ? AND update_id = ?";
    for (const { start, data } of this.#database.iterate(sql, device, updateId)) {
      assert(data instanceof Uint8Array, "a chunk holds bytes");
      target.set(data, Number(start));
      filled += data.length;
    }
    assert(filled === target.length, `upload ${updateId}: ${filled} bytes of ${target.length}`);
  }

  pathOf(): undefined {
    return undefined;
  }

  async sync(): Promise<void> {}

  unsynced(): readonly UploadKey[] {
    return [];
  }

  record(): void {}
  sweep(): void {}
  close(): void {}
}
