// A version that kills the process cannot be caught by the process: a mark on disk tells the next one.

import type { Cancel, Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Database } from "../../shared/storage/port.js";
import type { VersionName } from "./store.js";

/** A version that has run for so long does not kill the process. */
const PROBATION_MS = 600_000;
/** Deaths of the process, within that time of taking a version up, that are laid at the version's door. */
const DEATHS_MAX = 2;

/** The table `probation` of `state.db`: the version that was taken up last, until it has proven itself. */
export class Probation {
  readonly #database: Database;
  readonly #clock: Clock;
  #cancel: Cancel = () => undefined;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** A version is about to be served that was not before: written first, in the transaction that takes it up. */
  begin({ version, sha256 }: VersionName): void {
    this.#database.run(
      `INSERT OR REPLACE INTO probation VALUES (1, ?, ?, ?, 0, 1)`,
      ...[version, sha256, this.#clock.now()],
    );
    this.#endLater();
  }

  /** A process has started. The version that has killed those before it, if one has. */
  restart(): VersionName | undefined {
    const row = this.#database.get(`SELECT * FROM probation`);
    if (row === undefined) return undefined;
    const ageMs = this.#clock.now() - Number(row.since_ms);
    const deaths = Number(row.deaths) + Number(row.is_running);
    // A clock that was set back says nothing about the age.
    if (ageMs > PROBATION_MS) this.#clear();
    else if (deaths >= DEATHS_MAX) {
      this.#clear();
      return { version: Number(row.version), sha256: String(row.sha256) };
    } else {
      this.#attempt(`UPDATE probation SET deaths = ?, is_running = 1`, deaths);
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
  #attempt(sql: string, ...cells: readonly number[]): void {
    try {
      this.#database.run(sql, ...cells);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
    }
  }
}
