// The checker's own book on updates, kept from what lies in the server's database: which word was given on each, and
// what was in those that were accepted. A word never changes, and a device has at most one accepted update a round.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { Row } from "../../shared/storage/port.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { decodeUpdate } from "../../shared/wire/update-frame.js";
import type { Disk } from "../disk.js";
import type { Violations } from "./violations.js";

/** An accepted update, as the server keeps it until its round is over. */
export interface LedgerUpdate {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
  readonly header: UpdateHeader;
  readonly delta: Float32Array | undefined;
}

/** Updates and words. */
export class Ledger {
  readonly #journal: Disk;
  readonly #violations: Violations;
  /** Device and update id -> the word, as text. */
  readonly #words = new Map<string, string>();
  /** Device and update id -> the status that the device was told. */
  readonly #told = new Map<string, string>();
  /** Round -> device -> its accepted update. */
  readonly #accepted = new Map<number, Map<DeviceId, UpdateId>>();
  /** The updates of rounds that are not over. */
  #open = new Map<number, readonly LedgerUpdate[]>();
  #lastReceipt = 0;

  constructor(journal: Disk, violations: Violations) {
    this.#journal = journal;
    this.#violations = violations;
  }

  /** Reads what is new. Gives the rounds that are over since, with the updates they had. */
  read(): readonly { readonly round: number; readonly updates: readonly LedgerUpdate[] }[] {
    this.#readReceipts();
    const before = this.#open;
    this.#open = this.#readUpdates();
    return [...before]
      .filter(([round]) => !this.#open.has(round))
      .map(([round, updates]) => ({ round, updates }));
  }

  /** The one accepted update of every device in a round. */
  acceptedIn(round: number): ReadonlyMap<DeviceId, UpdateId> {
    return this.#accepted.get(round) ?? new Map();
  }

  /** A device was told a word: it must be the one on disk, durable before it was told. */
  hear(device: DeviceId, updateId: UpdateId, word: string): void {
    const key = `${device} ${updateId}`;
    const known = this.#words.get(key);
    const [status = ""] = word.split(" ");
    const before = this.#told.get(key) ?? status;
    this.#told.set(key, status);
    this.#violations.expect(
      status === before,
      () => `${device} was told "${before}" on ${updateId}, and then "${word}"`,
    );
    this.#violations.expect(
      known === undefined ? word.startsWith("rejected") : known === word,
      () => `${device} was told "${word}" on ${updateId}, the server's database says "${known}"`,
    );
  }

  #readReceipts(): void {
    const rows = this.#journal.content.all(
      "SELECT rowid AS id, device, update_id, round, status, reason FROM receipts WHERE rowid > ? ORDER BY rowid",
      this.#lastReceipt,
    );
    for (const row of rows) this.#noteReceipt(row);
  }

  #noteReceipt(row: Row): void {
    this.#lastReceipt = Number(row.id);
    const { device, updateId } = nameOf(row);
    const key = `${device} ${updateId}`;
    const word = `${row.status} ${row.reason ?? ""}`.trim();
    const known = this.#words.get(key);
    this.#violations.expect(
      known === undefined || known === word,
      () => `the word on update ${updateId} of ${device} changed from "${known}" to "${word}"`,
    );
    this.#words.set(key, word);
    if (row.status === "accepted") this.#noteAccepted(Number(row.round), device, updateId);
  }

  #noteAccepted(round: number, device: DeviceId, updateId: UpdateId): void {
    const ofRound = this.#accepted.get(round) ?? new Map<DeviceId, UpdateId>();
    const other = ofRound.get(device);
    this.#violations.expect(
      other === undefined || other === updateId,
      () => `round ${round} accepted two updates of ${device}: ${other} and ${updateId}`,
    );
    this.#accepted.set(round, ofRound.set(device, updateId));
  }

  #readUpdates(): Map<number, readonly LedgerUpdate[]> {
    const rows = this.#journal.content.all(
      "SELECT round, device, update_id FROM updates ORDER BY round, device",
    );
    const open = new Map<number, LedgerUpdate[]>();
    for (const row of rows) {
      const round = Number(row.round);
      const update = this.#known(round, nameOf(row)) ?? this.#readUpdate(round, nameOf(row));
      if (update !== undefined) open.set(round, [...(open.get(round) ?? []), update]);
    }
    for (const [round, updates] of open) this.#expectAllKept(round, updates);
    return open;
  }

  #known(round: number, { device, updateId }: Name): LedgerUpdate | undefined {
    const ofRound = this.#open.get(round);
    return ofRound?.find((update) => update.device === device && update.updateId === updateId);
  }

  #readUpdate(round: number, { device, updateId }: Name): LedgerUpdate | undefined {
    const chunks = this.#journal.content.all(
      "SELECT data FROM chunks WHERE device = ? AND update_id = ? ORDER BY start",
      device,
      updateId,
    );
    const frame = Buffer.concat(chunks.map(({ data }) => data as Uint8Array));
    const update = decodeUpdate(new Uint8Array(frame));
    if (!update.ok) {
      this.#violations.expect(false, () => `accepted update ${updateId} of ${device} is ${update.reason}`);
      return undefined;
    }
    const { header, delta } = update;
    const name = { task: header.task as never, device, round, sha256: sha256Hex(frame) };
    this.#violations.expect(
      updateIdOf(name) === updateId && header.round === round && header.device === device,
      () => `update ${updateId} of ${device} in round ${round} is not what its name says`,
    );
    return { device, updateId, header, delta };
  }

  /** What was accepted stays until its round is over. */
  #expectAllKept(round: number, updates: readonly LedgerUpdate[]): void {
    const kept = new Set(updates.map(({ updateId }) => updateId));
    for (const [device, updateId] of this.acceptedIn(round)) {
      this.#violations.expect(
        kept.has(updateId),
        () => `update ${updateId} of ${device} was accepted in round ${round} and is gone before its end`,
      );
    }
  }
}

interface Name {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
}

// The server's own writing, in STRICT tables.
function nameOf(row: Row): Name {
  return { device: String(row.device) as DeviceId, updateId: String(row.update_id) as UpdateId };
}
