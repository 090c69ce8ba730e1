// What became of past rounds, for reports and status pages; no decision rests on it. Written in the transactions that
// open and end a round, so it says neither more nor less than what happened.

import type { MetricSums } from "../../shared/model/metric.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { type RoundKind, roundKindSchema } from "../../shared/wire/message.js";

/** Rounds remembered: about a megabyte. */
export const ROUNDS_REMEMBERED = 10_000;

/** A round that has just opened. */
export interface RoundBeginning {
  readonly round: number;
  readonly kind: RoundKind;
  /** 0 in a fit round. */
  readonly baseVersion: number;
  readonly openedMs: number;
  /** While candidates are compared: the one that it trains, or those that it scores side by side. */
  readonly arms?: readonly string[];
}

/** How a round ended. */
export interface RoundEnding {
  readonly closedMs: number;
  readonly outcome: "completed" | "abandoned";
  /** The version it made. */
  readonly version: number | undefined;
  /** Devices asked, replacements included. */
  readonly members: number;
  /** Of these: whose update counts, and whose was refused. */
  readonly accepted: number;
  readonly rejected: number;
}

/** A round as remembered. */
export interface RoundRecord {
  readonly round: number;
  readonly kind: RoundKind;
  readonly baseVersion: number;
  readonly openedMs: number | undefined;
  /** Of the candidates under comparison; none in every other round. */
  readonly arms: readonly string[];
  /** Undefined while it is open. */
  readonly ending: RoundEnding | undefined;
  /** What an evaluate round measured, pooled over its devices; of candidates side by side, the first of them. */
  readonly pooled: MetricSums | undefined;
}

/** Past rounds, newest first: those before `before`, at most `limit`. */
export interface RoundsPage {
  readonly before?: number;
  readonly limit: number;
  /** Only those that have scored a version. */
  readonly isScored?: boolean;
}

const COLUMNS =
  "round, kind, base_version, opened_ms, closed_ms, outcome, version, members, accepted, rejected, pooled, arms";

/** Rounds in the server's database. */
export class RoundHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Part of the journal's transaction, like `end` and `score`. */
  begin({ round, kind, baseVersion, openedMs, arms }: RoundBeginning): void {
    this.#database.run(
      "INSERT OR REPLACE INTO round_history (round, kind, base_version, opened_ms, arms) VALUES (?, ?, ?, ?, ?)",
      ...[round, kind, baseVersion, openedMs, arms === undefined ? null : JSON.stringify(arms)],
    );
  }

  end(round: number, { closedMs, outcome, version, members, accepted, rejected }: RoundEnding): void {
    this.#database.run("DELETE FROM round_history WHERE round <= ?", round - ROUNDS_REMEMBERED);
    this.#database.run(
      "UPDATE round_history SET closed_ms = ?, outcome = ?, version = ?, members = ?, accepted = ?, rejected = ? WHERE round = ?",
      ...[closedMs, outcome, version ?? null, members, accepted, rejected, round],
    );
  }

  score(round: number, pooled: MetricSums): void {
    this.#database.run("UPDATE round_history SET pooled = ? WHERE round = ?", JSON.stringify(pooled), round);
  }

  list({ before = Number.MAX_SAFE_INTEGER, limit, isScored = false }: RoundsPage): RoundRecord[] {
    const scored = isScored ? "AND pooled IS NOT NULL" : "";
    const rows = this.#database.all(
      `SELECT ${COLUMNS} FROM round_history WHERE round < ? ${scored} ORDER BY round DESC LIMIT ?`,
      before,
      limit,
    );
    return rows.map(recordOf);
  }

  /** When a round began, undefined when it is not remembered. */
  openedMs(round: number): number | undefined {
    return numberOf(
      this.#database.get("SELECT opened_ms FROM round_history WHERE round = ?", round)?.opened_ms,
    );
  }

  /** The newest evaluate round that scored `version`. */
  scored(version: number): RoundRecord | undefined {
    const row = this.#database.get(
      `SELECT ${COLUMNS} FROM round_history WHERE base_version = ? AND pooled IS NOT NULL ORDER BY round DESC LIMIT 1`,
      version,
    );
    return row === undefined ? undefined : recordOf(row);
  }
}

function recordOf(row: Row): RoundRecord {
  return {
    round: Number(row.round),
    kind: roundKindSchema.parse(row.kind),
    baseVersion: Number(row.base_version),
    openedMs: numberOf(row.opened_ms),
    // Only our own writing is read here, so its shape is known.
    arms: typeof row.arms === "string" ? (JSON.parse(row.arms) as string[]) : [],
    ending: row.outcome === null ? undefined : endingOf(row),
    pooled: typeof row.pooled === "string" ? (JSON.parse(row.pooled) as MetricSums) : undefined,
  };
}

function endingOf(row: Row): RoundEnding {
  return {
    closedMs: Number(row.closed_ms),
    outcome: row.outcome === "completed" ? "completed" : "abandoned",
    version: numberOf(row.version),
    members: Number(row.members),
    accepted: Number(row.accepted),
    rejected: Number(row.rejected),
  };
}

function numberOf(cell: Row[string] | undefined): number | undefined {
  return typeof cell === "number" ? cell : undefined;
}
