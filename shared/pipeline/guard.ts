// Between a source and the pipeline, for one entity: readings that are there already, and values that cannot be.

import type { Counters } from "../counters.js";
import type { CheckSpec } from "../task/check-spec.js";
import type { SourceSpec } from "../task/task.js";
import type { Field } from "./operators/port.js";
import type { Saved, Stateful } from "./state.js";
import type { PipelineRow, QuarantineReason, Value } from "./types.js";

/** Readings remembered to tell the second of two; beyond, the oldest is forgotten. */
const KEYS_MAX = 4_096;

/** A row that may go on, or why it may not. */
export type GuardOutcome =
  | { readonly kind: "pass"; readonly row: PipelineRow }
  | { readonly kind: "duplicate" }
  | {
      readonly kind: "quarantine";
      readonly reason: QuarantineReason;
      readonly field: string;
      readonly value: number | null;
    };

/** Looks at one entity's rows of one source, in event time. Every failed check is counted as `checks.<reason>`. */
export class SourceGuard implements Stateful {
  readonly #checks: readonly FieldCheck[];
  readonly #dedupe: Dedupe | undefined;

  constructor({ checks, dedupe }: SourceSpec, fields: readonly Field[], counters: Counters) {
    this.#checks = fields.flatMap(({ name }, position) => {
      const spec = Object.hasOwn(checks, name) ? checks[name] : undefined;
      return spec === undefined ? [] : [new FieldCheck({ name, position, spec, counters })];
    });
    const positions = dedupe?.by.map((name) => fields.findIndex((field) => field.name === name));
    this.#dedupe =
      dedupe === undefined || positions === undefined ? undefined : new Dedupe(positions, dedupe.withinMs);
  }

  /** Judges the next row. */
  inspect(row: PipelineRow): GuardOutcome {
    if (this.#dedupe?.isKnown(row) === true) return { kind: "duplicate" };
    let passed = row;
    for (const check of this.#checks) {
      const value = passed.values[check.position]!;
      const verdict = check.judge(value, row.timeMs);
      if (verdict === undefined) continue;
      const { reason, instead } = verdict;
      if (instead === "quarantine") {
        return {
          kind: "quarantine",
          reason,
          field: check.name,
          value: typeof value === "number" ? value : null,
        };
      }
      passed = withValue(passed, check.position, instead);
    }
    return { kind: "pass", row: passed };
  }

  save(): Saved {
    const saved: SavedGuard = {
      checks: this.#checks.map((check) => check.save()),
      dedupe: this.#dedupe?.save() ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { checks, dedupe } = saved as SavedGuard; // as `save` made it
    this.#checks.forEach((check, i) => {
      check.restore(checks[i]);
    });
    this.#dedupe?.restore(dedupe);
  }
}

interface SavedGuard {
  readonly checks: readonly Saved[];
  readonly dedupe: Saved;
}

function withValue(row: PipelineRow, position: number, value: number | null): PipelineRow {
  return { ...row, values: row.values.map((other, i) => (i === position ? value : other)) };
}

interface Failure {
  readonly reason: QuarantineReason;
  /** The value that takes its place. */
  readonly instead: number | null | "quarantine";
}

/** The checks of one field. A value that fails is never what a later one is compared with. */
class FieldCheck implements Stateful {
  readonly name: string;
  readonly position: number;
  readonly #spec: CheckSpec;
  readonly #counters: Counters;
  #last: number | undefined;
  #lastMs = 0;
  /** Since when the value has been what it is. */
  #sinceMs = 0;

  constructor(options: {
    readonly name: string;
    readonly position: number;
    readonly spec: CheckSpec;
    readonly counters: Counters;
  }) {
    this.name = options.name;
    this.position = options.position;
    this.#spec = options.spec;
    this.#counters = options.counters;
  }

  judge(value: Value, timeMs: number): Failure | undefined {
    if (typeof value !== "number") {
      return value === null && this.#spec.required ? this.#fail("missing", null, timeMs) : undefined;
    }
    const reason = this.#reasonAgainst(value, timeMs);
    if (reason !== undefined) return this.#fail(reason, value, timeMs);
    this.#remember(value, timeMs);
    return undefined;
  }

  save(): Saved {
    const saved: SavedCheck = { last: this.#last ?? null, lastMs: this.#lastMs, sinceMs: this.#sinceMs };
    return saved;
  }

  restore(saved: Saved): void {
    const { last, lastMs, sinceMs } = saved as SavedCheck; // as `save` made it
    this.#last = last ?? undefined;
    this.#lastMs = lastMs;
    this.#sinceMs = sinceMs;
  }

  #reasonAgainst(value: number, timeMs: number): QuarantineReason | undefined {
    const { min = -Infinity, max = Infinity, oneOf, stuckMs, change, counter } = this.#spec;
    if (value < min || value > max) return "range";
    if (oneOf !== undefined && !oneOf.includes(value)) return "value";
    const last = this.#last;
    if (last === undefined) return undefined;
    if (stuckMs !== undefined && value === last && timeMs - this.#sinceMs >= stuckMs) return "stuck";
    if (counter !== undefined && value < last) {
      if (counter === "strict") return "counter";
      this.#counters.add("checks.counter-reset");
      return undefined;
    }
    const elapsedMs = timeMs - this.#lastMs;
    if (change !== undefined && Math.abs(value - last) * change.perMs > change.max * elapsedMs)
      return "change";
    return undefined;
  }

  #remember(value: number, timeMs: number): void {
    if (value !== this.#last) this.#sinceMs = timeMs;
    this.#last = value;
    this.#lastMs = timeMs;
  }

  #fail(reason: QuarantineReason, value: number | null, timeMs: number): Failure {
    this.#counters.add(`checks.${reason}`);
    const { onFail, min = -Infinity, max = Infinity } = this.#spec;
    if (onFail === "quarantine") return { reason, instead: "quarantine" };
    // Only what is out of range has a nearest limit.
    if (onFail === "missing" || value === null || reason !== "range") return { reason, instead: null };
    const clipped = Math.min(max, Math.max(min, value));
    this.#remember(clipped, timeMs);
    return { reason, instead: clipped };
  }
}

interface SavedCheck {
  readonly last: number | null;
  readonly lastMs: number;
  readonly sinceMs: number;
}

/** Tells a reading that is alike in some fields to one not long before. */
class Dedupe implements Stateful {
  readonly #positions: readonly number[];
  readonly #withinMs: number;
  // In the order they came: event time rises.
  readonly #seen = new Map<string, number>();

  constructor(positions: readonly number[], withinMs: number) {
    this.#positions = positions;
    this.#withinMs = withinMs;
  }

  isKnown({ values, timeMs }: PipelineRow): boolean {
    this.#forget(timeMs);
    const key = this.#positions.map((position) => String(values[position])).join(" ");
    if (this.#seen.has(key)) return true;
    this.#seen.set(key, timeMs);
    return false;
  }

  save(): Saved {
    return [...this.#seen];
  }

  restore(saved: Saved): void {
    for (const [key, timeMs] of saved as readonly (readonly [string, number])[]) this.#seen.set(key, timeMs); // as `save` made it
  }

  #forget(nowMs: number): void {
    for (const [key, timeMs] of this.#seen) {
      if (nowMs - timeMs <= this.#withinMs && this.#seen.size < KEYS_MAX) return;
      this.#seen.delete(key);
    }
  }
}
