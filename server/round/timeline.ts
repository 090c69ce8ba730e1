// What each device of a round did and when, for people; no decision rests on it. A round under way is in memory, one
// that has ended in the database as well. What a crash takes with it is a picture, never a fact of the federation.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Database } from "../../shared/storage/port.js";
import type { ServerFact } from "../fact.js";

/** Where a device stands in a round; `unfinished`: the round ended without it. */
export type MemberOutcome = "assigned" | "accepted" | "rejected" | "expired" | "declined" | "unfinished";

/** One device's way through a round. A time that is not there has not come, or was not seen. */
export interface MemberRecord {
  readonly device: DeviceId;
  readonly status: MemberOutcome;
  readonly selectedMs: number;
  /** The last part of a blob was sent to it. */
  readonly pulledMs?: number;
  /** It announced its update. */
  readonly uploadingMs?: number;
  readonly endedMs?: number;
  /** Why it was rejected, declined or given up. */
  readonly reason?: string;
  /** Who was asked in its place. */
  readonly replacedBy?: DeviceId;
  readonly examples?: number;
}

type Changeable = { -readonly [Key in keyof MemberRecord]: MemberRecord[Key] };

/** Rounds that may still change: late updates are answered after their round has closed. */
const ROUNDS_AT_HAND = 4;
/** Most members of a round that are remembered once it is over. */
const MEMBERS_KEPT_MAX = 2_000;
/** Most members of all rounds remembered: about 7 MB. */
const RECORDS_KEPT_MAX = 50_000;

export interface RoundTimelineOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Rounds, device by device. */
export class RoundTimeline {
  readonly #options: RoundTimelineOptions;
  readonly #rounds = new Map<number, Map<DeviceId, Changeable>>();
  #open = 0;

  constructor(options: RoundTimelineOptions) {
    this.#options = options;
  }

  /** Every device asked in `round`, in the order they were; empty when that is not remembered (any more). */
  members(round: number): readonly MemberRecord[] {
    const members = this.#rounds.get(round);
    if (members !== undefined) return [...members.values()].map((member) => ({ ...member }));
    const row = this.#options.database.get("SELECT members FROM round_members WHERE round = ?", round);
    // Only our own writing is read here, so its shape is known.
    return row === undefined ? [] : (JSON.parse(String(row.members)) as MemberRecord[]);
  }

  /** A part of a blob was sent to the device. */
  pulled(device: DeviceId): void {
    const member = this.#rounds.get(this.#open)?.get(device);
    if (member?.status === "assigned" && member.uploadingMs === undefined) member.pulledMs = this.#now();
  }

  /** The device has announced an update. */
  uploading(device: DeviceId, round: number): void {
    const member = this.#rounds.get(round)?.get(device);
    if (member !== undefined) member.uploadingMs ??= this.#now();
  }

  observe(fact: ServerFact): void {
    switch (fact.type) {
      case "round-opened":
        this.#begin(fact.round, fact.cohort);
        break;
      case "member-replaced":
        this.#replace(fact);
        break;
      case "update-accepted":
        this.#end(fact, { status: "accepted", examples: fact.examples });
        break;
      case "update-rejected":
        this.#end(fact, { status: "rejected", reason: fact.reason });
        break;
      case "round-closed":
        this.#close(fact.round);
        break;
      default:
    }
  }

  #begin(round: number, cohort: readonly DeviceId[]): void {
    this.#open = round;
    const selectedMs = this.#now();
    const members = cohort.map((device) => [device, { device, status: "assigned", selectedMs }] as const);
    this.#rounds.set(round, new Map<DeviceId, Changeable>(members));
    for (const known of this.#rounds.keys()) {
      if (known <= round - ROUNDS_AT_HAND) this.#rounds.delete(known);
    }
  }

  #replace({ round, device, by, reason }: Extract<ServerFact, { type: "member-replaced" }>): void {
    const members = this.#rounds.get(round);
    const member = members?.get(device);
    if (members === undefined || member === undefined) return;
    if (member.status === "assigned") {
      const status = reason === "lease" ? "expired" : "declined";
      Object.assign(member, { status, reason, endedMs: this.#now() });
    }
    if (by === undefined) return;
    member.replacedBy = by;
    members.set(by, { device: by, status: "assigned", selectedMs: this.#now() });
  }

  #end(
    { round, device }: { readonly round: number; readonly device: DeviceId },
    outcome: Pick<MemberRecord, "status" | "reason" | "examples">,
  ): void {
    const member = this.#rounds.get(round)?.get(device);
    // Of a second update of the same round only the refusal is news, and it changes nothing.
    if (member === undefined || member.status === "accepted") return;
    Object.assign(member, outcome, { endedMs: this.#now() });
  }

  #close(round: number): void {
    const { database, counters } = this.#options;
    const members = [...(this.#rounds.get(round)?.values() ?? [])];
    for (const member of members) if (member.status === "assigned") member.status = "unfinished";
    const kept = members.slice(0, MEMBERS_KEPT_MAX);
    try {
      database.transaction(() => {
        database.run(FORGET, RECORDS_KEPT_MAX - kept.length);
        database.run(
          "INSERT OR REPLACE INTO round_members (round, count, members) VALUES (?, ?, ?)",
          ...[round, kept.length, JSON.stringify(kept)],
        );
      });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add("timeline-failed");
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

const FORGET = `
  DELETE FROM round_members WHERE round IN (
    SELECT round FROM (SELECT round, SUM(count) OVER (ORDER BY round DESC) AS total FROM round_members)
    WHERE total > ?
  )`;
