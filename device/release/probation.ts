// A version that kills the process cannot be caught by the process: a mark on disk tells the next one.

import type { Cancel, Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Cell, Database } from "../../shared/storage/port.js";
import type { VersionName } from "./store.js";

/** A version that has run for so long does not kill the process. */
const PROBATION_MS = 600_000;
/** Deaths of the process, within that time of taking a version up, that are laid at the version's door. */
const DEATHS_MAX = 2;
/**
 * Deaths together with the whole machine are those of its power supply, far more often than of a version: so many of them are
 * laid at its door all the same, since a version can also bring a machine to a halt (a watchdog starts it again).
 */
const REBOOTS_MAX = 6;

/** The table `probation` of `state.db`: the version that was taken up last, until it has proven itself. */
export class Probation {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #boot: string | undefined;
  #cancel: Cancel = () => undefined;

  /** `boot` names this start of the machine; undefined: nothing is known of it, and every death counts as one of the process. */
  constructor(database: Database, clock: Clock, boot: string | undefined) {
    this.#database = database;
    this.#clock = clock;
    this.#boot = boot;
  }

  /** A version is about to be served that was not before: written first, in the transaction that takes it up. */
  begin({ version, sha256 }: VersionName): void {
    this.#database.run(
      `INSERT OR REPLACE INTO probation (id, version, sha256, since_ms, deaths, is_running, boot) VALUES (1, ?, ?, ?, 0, 1, ?)`,
      ...[version, sha256, this.#clock.now(), this.#boot ?? null],
    );
    this.#endLater();
  }

  /** A process has started. The version that has killed those before it, if one has. */
  restart(): VersionName | undefined {
    const row = this.#database.get(`SELECT * FROM probation`);
    if (row === undefined) return undefined;
    const ageMs = this.#clock.now() - Number(row.since_ms);
    const hasRebooted = row.boot !== null && this.#boot !== undefined && row.boot !== this.#boot;
    const died = Number(row.is_running);
    const deaths = Number(row.deaths) + (hasRebooted ? 0 : died);
    const reboots = Number(row.reboots) + (hasRebooted ? died : 0);
    // A clock that was set back says nothing about the age.
    if (ageMs > PROBATION_MS) this.#clear();
    else if (deaths >= DEATHS_MAX || reboots >= REBOOTS_MAX) {
      this.#clear();
      return { version: Number(row.version), sha256: String(row.sha256) };
    } else {
      this.#attempt(
        `UPDATE probation SET deaths = ?, reboots = ?, is_running = 1, boot = ?`,
        ...[deaths, reboots, this.#boot ?? null],
      );
      this.#endLater();
    }
    return undefined;
  }

  /** What is served now has proven itself before. */
  settle(): void {
    this.#cancel();
    this.#clear();
  }

  /** The process ends as it should: that is no death. */
  stop(): void {
    this.abandon();
    this.#attempt(`UPDATE probation SET is_running = 0`);
  }

  /** The process is gone. */
  abandon(): void {
    this.#cancel();
  }

  #endLater(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(PROBATION_MS, () => this.#clear());
  }

  #clear(): void {
    this.#attempt(`DELETE FROM probation`);
  }

  // A mark that cannot be changed costs a version too many, not the device.
  #attempt(sql: string, ...cells: readonly Cell[]): void {
    try {
      this.#database.run(sql, ...cells);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
    }
  }
}
