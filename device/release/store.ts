// What a device knows of releases, on disk: the last one it follows, and the versions that did not work here.

import type { Database } from "../../shared/storage/port.js";
import {
  decodeMessage,
  encodeMessage,
  type Manifest,
  type Release,
  releaseSchema,
} from "../../shared/wire/message.js";

/** Failed versions that are remembered: the newest. */
export const FAILED_MAX = 64;

/** A release, and when this device first followed it. */
export interface FollowedRelease {
  /** Undefined when it cannot be read any more: its number still holds. */
  readonly release: Release | undefined;
  readonly sequence: number;
  readonly followedMs: number;
}

/** Which version: a number may come again with other content, when a server has lost its memory. */
export type VersionName = Pick<Manifest, "version" | "sha256">;

/** A version that did not work here. */
export interface FailedVersion extends VersionName {
  readonly reason: string;
  /** What the engine said, shortened; empty where it said nothing. */
  readonly detail: string;
  readonly failedMs: number;
}

/** The tables `release` and `failed_version` of `state.db`. */
export class ReleaseStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  read(): FollowedRelease | undefined {
    const row = this.#database.get(`SELECT * FROM release`);
    return (
      row && {
        release: decodeMessage(releaseSchema, row.message as Uint8Array), // declared BLOB in a STRICT table
        sequence: Number(row.sequence),
        followedMs: Number(row.followed_ms),
      }
    );
  }

  /** Keeps a release instead of the one before. The same again, as after every start, writes nothing. */
  keep(release: Release, followedMs: number): void {
    this.#database.run(
      `INSERT INTO release (id, sequence, followed_ms, message) VALUES (1, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE
         SET sequence = excluded.sequence, followed_ms = excluded.followed_ms, message = excluded.message
         WHERE (sequence, followed_ms, message) IS NOT (excluded.sequence, excluded.followed_ms, excluded.message)`,
      ...[release.sequence, followedMs, encodeMessage(release)],
    );
  }

  /** Versions that did not work here, newest first. */
  failed(): readonly FailedVersion[] {
    return this.#database
      .all(`SELECT * FROM failed_version ORDER BY failed_ms DESC, version DESC`)
      .map(({ version, sha256, reason, detail, failed_ms }) => ({
        ...{ version: Number(version), sha256: String(sha256) },
        ...{ reason: String(reason), detail: String(detail), failedMs: Number(failed_ms) },
      }));
  }

  keepFailed({ version, sha256, reason, detail, failedMs }: FailedVersion): void {
    this.#database.run(
      `INSERT OR REPLACE INTO failed_version (version, sha256, failed_ms, reason, detail) VALUES (?, ?, ?, ?, ?)`,
      ...[version, sha256, failedMs, reason, detail],
    );
    this.#database.run(
      `DELETE FROM failed_version WHERE (version, sha256) IN
         (SELECT version, sha256 FROM failed_version ORDER BY failed_ms DESC, version DESC LIMIT -1 OFFSET ?)`,
      FAILED_MAX,
    );
  }

  /** The version gets another chance. */
  pardon({ version, sha256 }: VersionName): void {
    this.#database.run(`DELETE FROM failed_version WHERE version = ? AND sha256 = ?`, version, sha256);
  }
}

/** True when both name the same version with the same content. */
export function isSameVersion(a: VersionName | undefined, b: VersionName | undefined): boolean {
  return a !== undefined && b !== undefined && a.version === b.version && a.sha256 === b.sha256;
}
