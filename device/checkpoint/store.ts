// Checkpoints on disk: the state of the pipeline after a message, and how far the examples and predictions that came
// of messages have been written. Both are rows of `telemetry.db`, so that they change in the transaction of those.

import type { Saved } from "../../shared/pipeline/state.js";
import { decodeState, encodeState } from "../../shared/pipeline/state.js";
import type { Database } from "../../shared/storage/port.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Mark } from "./mark.js";

/** Of what is saved: another one cannot be read. Changes with the shape of anything a part of the pipeline saves. */
const FORMAT = 1;

/** State after a message. */
export interface Checkpoint {
  readonly mark: Mark;
  readonly pipeline: Saved;
  readonly inputs: Saved;
  /** Absent where nothing is monitored. */
  readonly monitor?: Saved;
}

/** A checkpoint as it was found, or why there is none to go on from. */
export type Found =
  | { readonly kind: "found"; readonly checkpoint: Checkpoint; readonly bytes: number }
  | { readonly kind: "none" }
  | { readonly kind: "unusable"; readonly reason: "broken" | "other-format" | "other-task" };

/** How far examples and predictions have been written. */
export interface Written {
  readonly mark: Mark;
  /** The clock had been moved on to this time after the message, undefined when it had not. */
  readonly clockMs: number | undefined;
}

/** The tables `checkpoint`, `written` and `history`. */
export class CheckpointStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The checkpoint, if it was made by pipelines of this `spec`. */
  read(spec: string): Found {
    const row = this.#database.get(`SELECT * FROM checkpoint WHERE role = 'current'`);
    if (row === undefined) return { kind: "none" };
    if (row.format !== FORMAT) return { kind: "unusable", reason: "other-format" };
    if (row.spec !== spec) return { kind: "unusable", reason: "other-task" };
    const content = row.content as Uint8Array; // declared BLOB NOT NULL in a STRICT table
    if (sha256Hex(content) !== row.sha256) return { kind: "unusable", reason: "broken" };
    return { kind: "found", checkpoint: decodeState(content) as Checkpoint, bytes: content.length }; // as `write` made it
  }

  /** Replaces the checkpoint; returns its bytes. */
  write(spec: string, checkpoint: Checkpoint): number {
    const content = encodeState(checkpoint);
    this.#database.run(
      `INSERT OR REPLACE INTO checkpoint VALUES ('current', ?, ?, ?, ?)`,
      ...[spec, FORMAT, sha256Hex(content), content],
    );
    return content.length;
  }

  /** Puts a checkpoint that cannot be used where it can still be looked at, instead of the last such. */
  setAside(): void {
    this.#database.run(`UPDATE OR REPLACE checkpoint SET role = 'set-aside' WHERE role = 'current'`);
  }

  /** How far the stored examples had come; undefined before the first of their meaning. */
  readWritten(): Written | undefined {
    const row = this.#database.get(`SELECT * FROM written`);
    return (
      row && {
        mark: { seq: Number(row.seq), file: String(row.file), position: Number(row.position) },
        clockMs: row.clock_ms === null ? undefined : Number(row.clock_ms),
      }
    );
  }

  /** Number of the last message that was older than the task; undefined when no process has said so yet. */
  readHistory(): number | undefined {
    const row = this.#database.get(`SELECT seq FROM history`);
    return row && Number(row.seq);
  }

  writeHistory(seq: number): void {
    this.#database.run(`INSERT OR REPLACE INTO history VALUES (1, ?)`, seq);
  }

  writeWritten({ mark: { seq, file, position }, clockMs }: Written): void {
    this.#database.run(
      `INSERT OR REPLACE INTO written VALUES (1, ?, ?, ?, ?)`,
      ...[seq, file, position, clockMs ?? null],
    );
  }
}
