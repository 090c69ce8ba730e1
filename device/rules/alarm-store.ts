// Alarms on disk, so that a restart neither raises one again nor forgets it. The database is asked rather than the
// broker's retained messages: it is there before the network is, it knows of rules that do not retain, and it tells
// what has been said from what has not. Written at every change and before the word goes out, not in batches: changes
// are rare, and a word that went out without a trace would be said again.

import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { type Alarm, type AlarmState, resume } from "./decide.js";

/** One alarm of one rule and one entity. */
export interface KeptAlarm {
  readonly rule: string;
  readonly entity: string;
  readonly state: AlarmState;
  /** The broker has acknowledged the word on it. */
  readonly isSaid: boolean;
}

/** The table `alarm` of `telemetry.db`. What cannot be written is counted: the alarm itself goes on. */
export class AlarmStore {
  readonly #database: Database;
  readonly #counters: Counters;

  constructor(database: Database, counters: Counters) {
    this.#database = database;
    this.#counters = counters;
  }

  /** All of them, the longest unchanged first. */
  load(): readonly KeptAlarm[] {
    return this.#database
      .all(
        `SELECT rule, entity, status, known, time_ms, since_ms, value, is_said FROM alarm ORDER BY time_ms, rule, entity`,
      )
      .map(readAlarm);
  }

  /** Keeps an alarm as it is now; nobody has heard of it yet. */
  keep(rule: string, entity: string, { alarm, known }: AlarmState): void {
    const { status, timeMs, sinceMs, value } = alarm;
    this.#write(
      `INSERT OR REPLACE INTO alarm (rule, entity, status, known, time_ms, since_ms, value, is_said)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
      ...[rule, entity, status, known, timeMs, sinceMs, value],
    );
  }

  /** The broker has the word on what was so at `timeMs`; something newer is still to be said. */
  said(rule: string, entity: string, timeMs: number): void {
    this.#write(
      `UPDATE alarm SET is_said = 1 WHERE rule = ? AND entity = ? AND time_ms = ?`,
      rule,
      entity,
      timeMs,
    );
  }

  forget(rule: string, entity: string): void {
    this.#write(`DELETE FROM alarm WHERE rule = ? AND entity = ?`, rule, entity);
  }

  #write(sql: string, ...cells: readonly (string | number)[]): void {
    try {
      this.#database.run(sql, ...cells);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#counters.add(`rules.not-kept.${error.code}`);
    }
  }
}

function readAlarm(row: Row): KeptAlarm {
  const alarm: Alarm = {
    status: row.status === "raised" || row.status === "cleared" ? row.status : "unknown",
    timeMs: Number(row.time_ms),
    sinceMs: Number(row.since_ms),
    value: Number(row.value),
  };
  return {
    rule: String(row.rule),
    entity: String(row.entity),
    state: resume(alarm, row.known === "raised" ? "raised" : "cleared"),
    isSaid: row.is_said === 1,
  };
}
