// The server's database: one schema, and the one transaction in which an event is stored with all it brings.

import { unreachable } from "../shared/assert.js";
import { HeadwaterError } from "../shared/error.js";
import type { Database, Migrations } from "../shared/storage/port.js";
import type { ReceiptStore } from "./ingest/receipts.js";
import type { Staging } from "./ingest/staging.js";
import type { LineageStore } from "./lineage/store.js";
import { Aliases } from "./model/aliases.js";
import type { VersionStore } from "./model/version-store.js";
import type { Write } from "./round/command.js";
import type { RoundEvent } from "./round/event.js";
import type { RoundHistory } from "./round/history.js";
import type { Journal, JournalContent, JournalEntry } from "./round/journal.js";
import type { Policy } from "./round/policy.js";
import { parseState, type RoundsState, stringifyState } from "./round/state.js";

/** The server's tables. Open its database with these and with durability `full`. */
export const serverMigrations: Migrations = [
  `
  -- What the database belongs to: a task, and what its params mean.
  CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- State up to an event, the rules it was decided by, and the events since.
  CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL, policy TEXT NOT NULL, alive_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE journal (seq INTEGER PRIMARY KEY, event TEXT NOT NULL) STRICT;

  -- Uploads of the open round. Chunks never overlap; received and chunks count them.
  CREATE TABLE uploads (
    device TEXT NOT NULL, update_id TEXT NOT NULL, round INTEGER NOT NULL, kind TEXT NOT NULL,
    base_version INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, examples INTEGER NOT NULL,
    received INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, update_id)
  ) STRICT;
  CREATE INDEX uploads_by_round ON uploads (round);
  CREATE TABLE chunks (
    device TEXT NOT NULL, update_id TEXT NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (device, update_id, start),
    FOREIGN KEY (device, update_id) REFERENCES uploads ON DELETE CASCADE
  ) STRICT;

  -- Accepted updates of the open round, at most one per device; their bytes are their chunks.
  CREATE TABLE updates (
    round INTEGER NOT NULL, device TEXT NOT NULL, update_id TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (round, device)
  ) STRICT;

  CREATE TABLE receipts (
    device TEXT NOT NULL, update_id TEXT NOT NULL, round INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT,
    signature BLOB NOT NULL,
    PRIMARY KEY (device, update_id)
  ) STRICT;
  CREATE INDEX receipts_by_round ON receipts (round, device);

  CREATE TABLE versions (
    version INTEGER PRIMARY KEY, parent INTEGER NOT NULL, sha256 TEXT NOT NULL, manifest BLOB NOT NULL
  ) STRICT;
  CREATE INDEX versions_by_blob ON versions (sha256);
  -- Blobs in parts of one size, so that a block is read without reading what lies before it.
  CREATE TABLE blob_parts (
    sha256 TEXT NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (sha256, part)
  ) STRICT;

  CREATE TABLE evaluations (
    round INTEGER PRIMARY KEY, version INTEGER NOT NULL, pooled TEXT NOT NULL, per_device TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- What became of rounds, for people. What is null is not known yet.
  CREATE TABLE round_history (
    round INTEGER PRIMARY KEY, kind TEXT NOT NULL, base_version INTEGER NOT NULL, opened_ms INTEGER NOT NULL,
    closed_ms INTEGER, outcome TEXT, version INTEGER, members INTEGER, accepted INTEGER, rejected INTEGER,
    pooled TEXT
  ) STRICT;
  `,
  `
  -- The last report of each device (JSON).
  CREATE TABLE reports (
    device TEXT PRIMARY KEY, received_ms INTEGER NOT NULL, report TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What each device of a round did and when, for people, as JSON.
  CREATE TABLE round_members (round INTEGER PRIMARY KEY, count INTEGER NOT NULL, members TEXT NOT NULL) STRICT;
  `,
  `
  -- How each version was made and judged: signed records (RFC 8785 JSON), kept longer than the versions. Tasks: the text
  -- behind the hashes in them.
  CREATE TABLE lineage (
    version INTEGER PRIMARY KEY, task_hash TEXT NOT NULL, bytes INTEGER NOT NULL,
    run TEXT NOT NULL, run_sha256 TEXT NOT NULL, run_signature BLOB NOT NULL,
    verdict TEXT, verdict_sha256 TEXT, verdict_signature BLOB
  ) STRICT;
  CREATE TABLE tasks (task_hash TEXT PRIMARY KEY, source TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- Names that people have given to versions; what has one is kept.
  CREATE TABLE aliases (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Rounds that have scored a version: of any version, and by time.
  CREATE INDEX round_history_by_version ON round_history (base_version, round) WHERE pooled IS NOT NULL;
  CREATE INDEX round_history_scored ON round_history (round) WHERE pooled IS NOT NULL;
  `,
  `
  -- Of a round between candidates: their names, as a JSON array.
  ALTER TABLE round_history ADD COLUMN arms TEXT;
  `,
];

/** The tables a write may touch. */
export interface Stores {
  readonly staging: Staging;
  readonly receipts: ReceiptStore;
  readonly versions: VersionStore;
  readonly history: RoundHistory;
  readonly lineage: LineageStore;
}

// Often enough that a start replays little, seldom enough that hellos do not rewrite the state each time.
const EVENTS_PER_SNAPSHOT = 256;

/** Everything journaled; only reads. */
export function readJournal(database: Database): JournalContent | undefined {
  const row = database.get("SELECT state, policy, alive_ms FROM snapshot");
  if (row === undefined) return undefined;
  const events = database.all("SELECT event FROM journal ORDER BY seq");
  return {
    state: parseState(String(row.state)),
    // Only our own writing is read here, so its shape is known.
    policy: JSON.parse(String(row.policy)) as Policy,
    events: events.map(({ event }) => JSON.parse(String(event)) as RoundEvent),
    aliveMs: Number(row.alive_ms),
  };
}

/** The journal over a server's database. */
export class SqliteJournal implements Journal {
  readonly #database: Database;
  readonly #stores: Stores;
  readonly #aliases: Aliases;
  #entries = 0;

  constructor(database: Database, stores: Stores) {
    this.#database = database;
    this.#stores = stores;
    this.#aliases = new Aliases(database);
  }

  async load(): Promise<JournalContent | undefined> {
    return readJournal(this.#database);
  }

  async begin(state: RoundsState, policy: Policy, nowMs: number): Promise<void> {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM journal");
      this.#database.run(
        "INSERT OR REPLACE INTO snapshot (id, state, policy, alive_ms) VALUES (1, ?, ?, ?)",
        stringifyState(state),
        JSON.stringify(policy),
        nowMs,
      );
    });
    this.#entries = 0;
  }

  async commit(entries: readonly JournalEntry[]): Promise<void> {
    const events = entries.flatMap(({ event }) => event ?? []);
    const writes = entries.flatMap((entry) => entry.writes);
    const isFull = this.#entries + events.length > EVENTS_PER_SNAPSHOT;
    const isRoundOver = writes.some(({ type }) => type === "end-round");
    const snapshot = isFull || isRoundOver ? entries.at(-1)?.state : undefined;
    this.#database.transaction(() => {
      for (const write of writes) this.#apply(write);
      if (events.length > 0) this.#append(events, snapshot);
    });
    if (events.length > 0) this.#entries = snapshot === undefined ? this.#entries + events.length : 0;
    if (writes.some(({ type }) => type === "end-round" || type === "drop-upload")) this.#sweep();
  }

  async beat(nowMs: number): Promise<void> {
    this.#database.run("UPDATE snapshot SET alive_ms = ?", nowMs);
  }

  /** Never refuses: the events are stored, and whoever hears otherwise stores them again. The next sweep finds the rest. */
  #sweep(): void {
    try {
      this.#stores.staging.sweep();
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
    }
  }

  /** `snapshot`: the state after all events so far, when it takes their place. */
  #append(events: readonly RoundEvent[], snapshot: RoundsState | undefined): void {
    const aliveMs = events.at(-1)!.nowMs;
    if (snapshot !== undefined) {
      this.#database.run("DELETE FROM journal");
      this.#database.run("UPDATE snapshot SET state = ?, alive_ms = ?", stringifyState(snapshot), aliveMs);
      return;
    }
    for (const event of events) {
      this.#database.run("INSERT INTO journal (event) VALUES (?)", JSON.stringify(event));
    }
    this.#database.run("UPDATE snapshot SET alive_ms = ?", aliveMs);
  }

  #apply(write: Write): void {
    const { staging, receipts, versions, history, lineage } = this.#stores;
    switch (write.type) {
      case "begin-round":
        history.begin(write);
        return;
      case "end-round":
        staging.endRound(write.round);
        receipts.forget(write.keepFrom);
        this.#database.run("DELETE FROM evaluations WHERE round < ?", write.keepFrom);
        history.end(write.round, write.ending);
        return;
      case "drop-upload":
        staging.drop(write.device, write.updateId);
        return;
      case "prune-versions":
        versions.prune(write.through, write.keep);
        return;
      case "update":
        staging.accept(write);
        return;
      case "word":
        receipts.keep(write.word);
        return;
      case "evaluation":
        this.#keepEvaluation(write);
        history.score(write.round, write.pooled);
        return;
      case "version":
        versions.keep(write.manifest, write.blob);
        lineage.keep(write.run);
        return;
      case "verdict":
        lineage.judge(write, history.scored(write.version));
        return;
      case "trial-ended":
        lineage.endTrial(write);
        return;
      case "alias":
        this.#aliases.set(write.name, write.version);
        return;
      case "task-text":
        lineage.keepTask(write.task);
        return;
      default:
        unreachable(write);
    }
  }

  #keepEvaluation({ round, version, pooled, perDevice }: Extract<Write, { type: "evaluation" }>): void {
    this.#database.run(
      "INSERT INTO evaluations (round, version, pooled, per_device) VALUES (?, ?, ?, ?)",
      round,
      version,
      JSON.stringify(pooled),
      JSON.stringify(perDevice),
    );
  }
}
