// Updates on disk until the server's receipt comes. Durable before the first byte is sent: from then on a power
// cut costs nothing but time.

import type { UpdateId } from "../../shared/id.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { type RoundKind, roundKindSchema } from "../../shared/wire/message.js";
import type { BuiltUpdate } from "./builder.js";

/** What there is to say of an update that is kept. */
export type KeptUpdate = Omit<BuiltUpdate, "frame" | "chunkBytes"> & {
  /** Of the frame. */
  readonly bytes: number;
};

/** The outbox in `state.db`, oldest first. Who bounds it deletes from it. */
export class Outbox {
  readonly #database: Database;
  /** The update that is about to be sent: it has only just been written. */
  #newest: BuiltUpdate | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps an update; the same one again changes nothing. */
  add(update: BuiltUpdate): void {
    const { updateId, round, kind, baseVersion, sha256, examples, chunkBytes, frame } = update;
    this.#database.run(
      `INSERT OR IGNORE INTO outbox
         (update_id, round, kind, base_version, sha256, examples, chunk_bytes, frame)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[updateId, round, kind, baseVersion, sha256, examples, chunkBytes, frame],
    );
    this.#newest = update;
  }

  /** What is kept, oldest first. */
  list(): readonly { readonly updateId: UpdateId; readonly round: number }[] {
    return this.#database
      .all(`SELECT update_id, round FROM outbox ORDER BY seq`)
      .map((row) => ({ updateId: updateIdOf(row), round: Number(row.round) }));
  }

  /** All but the frame of an update, or undefined when it is not (or no longer) kept. */
  describe(updateId: UpdateId): KeptUpdate | undefined {
    const row = this.#database.get(
      `SELECT update_id, round, kind, base_version, sha256, examples, length(frame) AS bytes
       FROM outbox WHERE update_id = ?`,
      updateId,
    );
    return row && { ...describe(row), bytes: Number(row.bytes) };
  }

  /** The whole update, or undefined when it is not (or no longer) kept. */
  read(updateId: UpdateId): BuiltUpdate | undefined {
    if (this.#newest?.updateId === updateId) return this.#newest;
    const row = this.#database.get(`SELECT * FROM outbox WHERE update_id = ?`, updateId);
    return row && toUpdate(row);
  }

  /** The round of an update, or undefined when it is not (or no longer) kept. */
  roundOf(updateId: UpdateId): number | undefined {
    const row = this.#database.get(`SELECT round FROM outbox WHERE update_id = ?`, updateId);
    return row && Number(row.round);
  }

  delete(updateId: UpdateId): void {
    this.#database.run(`DELETE FROM outbox WHERE update_id = ?`, updateId);
    if (this.#newest?.updateId === updateId) this.#newest = undefined;
  }
}

// What comes back is what `add` wrote, in a STRICT table.
function toUpdate(row: Row): BuiltUpdate {
  return { ...describe(row), chunkBytes: Number(row.chunk_bytes), frame: row.frame as Uint8Array };
}

function describe(row: Row): Omit<KeptUpdate, "bytes"> {
  const kind: RoundKind = roundKindSchema.parse(row.kind);
  return {
    updateId: updateIdOf(row),
    round: Number(row.round),
    kind,
    baseVersion: Number(row.base_version),
    sha256: String(row.sha256),
    examples: Number(row.examples),
  };
}

function updateIdOf(row: Row): UpdateId {
  return String(row.update_id) as UpdateId;
}
