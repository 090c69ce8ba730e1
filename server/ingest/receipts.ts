// The server's words on updates, signed once and kept as they were given.

import type { DeviceId, TaskId, UpdateId } from "../../shared/id.js";
import type { Cell, Database } from "../../shared/storage/port.js";
import type { Receipt, RejectionReason } from "../../shared/wire/message.js";
import { type KeyPair, signReceipt } from "../../shared/wire/signature.js";
import type { Word } from "../round/command.js";

/** What signs and keeps. */
export interface ReceiptStoreOptions {
  readonly database: Database;
  readonly task: TaskId;
  readonly keys: KeyPair;
}

/** Receipts by device and update id. */
export class ReceiptStore {
  readonly #database: Database;
  readonly #task: TaskId;
  readonly #keys: KeyPair;

  constructor({ database, task, keys }: ReceiptStoreOptions) {
    this.#database = database;
    this.#task = task;
    this.#keys = keys;
  }

  /** The receipt for a word, given for the first time. Ed25519 is deterministic: the same word, the same bytes. */
  sign({ device, updateId, round, status, reason }: Word): Receipt {
    const claim = { task: this.#task, device, updateId, round, status, reason };
    const signature = signReceipt(this.#keys.privateKey, claim);
    return { v: 1, updateId, round, status, reason, duplicate: false, signature };
  }

  /** The receipt given before, marked as a duplicate. */
  find(device: DeviceId, updateId: UpdateId): Receipt | undefined {
    const row = this.#database.get(
      "SELECT round, status, reason, signature FROM receipts WHERE device = ? AND update_id = ?",
      device,
      updateId,
    );
    if (row === undefined) return undefined;
    return {
      v: 1,
      updateId,
      round: Number(row.round),
      // Only our own writing is read here, so its shape is known.
      status: row.status as Receipt["status"],
      reason: row.reason as RejectionReason | null,
      duplicate: true,
      signature: bytesOf(row.signature),
    };
  }

  /** Receipts kept on one device's updates of one round. */
  count(device: DeviceId, round: number): number {
    const sql = "SELECT COUNT(*) AS count FROM receipts WHERE round = ? AND device = ?";
    return Number(this.#database.get(sql, round, device)?.count);
  }

  /** Part of the journal's transaction. */
  keep(word: Word): void {
    const { signature } = this.sign(word);
    this.#database.run(
      "INSERT INTO receipts (device, update_id, round, status, reason, signature) VALUES (?, ?, ?, ?, ?, ?)",
      word.device,
      word.updateId,
      word.round,
      word.status,
      word.reason,
      signature,
    );
  }

  /** Part of the journal's transaction: forgets rounds before `keepFrom`. */
  forget(keepFrom: number): void {
    this.#database.run("DELETE FROM receipts WHERE round < ?", keepFrom);
  }
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? new Uint8Array(cell) : new Uint8Array();
}
