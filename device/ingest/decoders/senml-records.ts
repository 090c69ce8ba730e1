// SenML (RFC 8428): a pack of records, resolved. Base values hold from their record on (sec. 4.1), a time below 2^28
// is relative to now (sec. 4.5.3), and a pack of a newer version or with a label one must understand is refused.

/** One record with its base values taken in. */
export interface ResolvedRecord {
  readonly base: string;
  /** The whole name: base and own. */
  readonly name: string;
  readonly unit: string | undefined;
  readonly time:
    | { readonly kind: "absolute"; readonly s: number }
    | { readonly kind: "relative"; readonly s: number };
  /** Number, text, truth or data; undefined where the record has only a sum. */
  readonly value: unknown;
  readonly sum: number | undefined;
}

/** The records of a pack, or why it is none. Records that only set base values are not among them. */
export function resolveSenml(
  pack: unknown,
): readonly ResolvedRecord[] | "not-senml" | "unknown-version" | "too-many" {
  if (!Array.isArray(pack)) return "not-senml";
  if (pack.length > RECORDS_MAX) return "too-many";
  const resolver = new Resolver();
  const resolved: ResolvedRecord[] = [];
  for (const record of pack) {
    const outcome = resolver.resolve(record);
    if (typeof outcome === "string") return outcome;
    if (outcome !== undefined) resolved.push(outcome);
  }
  return resolved;
}

const RECORDS_MAX = 10_000;
const VERSION = 10;
const RELATIVE_BELOW_S = 2 ** 28;
/** Sec. 4.5.1. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9\-:./_]*$/;
const NAME_MAX = 256;

/** Labels of the CBOR representation (sec. 6, table 4) by their JSON names. */
const LABELS = {
  ...{ bver: "-1", bn: "-2", bt: "-3", bu: "-4", bv: "-5", bs: "-6" },
  ...{ n: "0", u: "1", v: "2", vs: "3", vb: "4", s: "5", t: "6", vd: "8" },
} as const;

class Resolver {
  #name = "";
  #timeS = 0;
  #unit: string | undefined;
  #value: number | undefined;
  #sum: number | undefined;

  resolve(record: unknown): ResolvedRecord | "not-senml" | "unknown-version" | undefined {
    if (typeof record !== "object" || record === null || Array.isArray(record)) return "not-senml";
    if (Object.keys(record).some((label) => label.endsWith("_"))) return "not-senml";
    const version = numberAt(record, "bver");
    if (version === null) return "not-senml";
    if (version !== undefined && version > VERSION) return "unknown-version";
    return this.#takeBase(record) ? this.#own(record) : "not-senml";
  }

  #takeBase(record: object): boolean {
    const [bn, bu] = [textAt(record, "bn"), textAt(record, "bu")];
    const [bt, bv, bs] = [numberAt(record, "bt"), numberAt(record, "bv"), numberAt(record, "bs")];
    if (bn === null || bu === null || bt === null || bv === null || bs === null) return false;
    this.#name = bn ?? this.#name;
    this.#unit = bu ?? this.#unit;
    this.#timeS = bt ?? this.#timeS;
    this.#value = bv ?? this.#value;
    this.#sum = bs ?? this.#sum;
    return true;
  }

  #own(record: object): ResolvedRecord | "not-senml" | undefined {
    const [n, u] = [textAt(record, "n"), textAt(record, "u")];
    const [v, s, t] = [numberAt(record, "v"), numberAt(record, "s"), numberAt(record, "t")];
    if (n === null || u === null || v === null || s === null || t === null) return "not-senml";
    const other = at(record, "vs") ?? at(record, "vb") ?? at(record, "vd");
    const value = other ?? plus(this.#value, v);
    const sum = plus(this.#sum, s);
    const name = this.#name + (n ?? "");
    if (value === undefined && sum === undefined) {
      return n === undefined && t === undefined ? undefined : "not-senml";
    }
    if (!NAME.test(name) || name.length > NAME_MAX) return "not-senml";
    const timeS = this.#timeS + (t ?? 0);
    const kind = timeS < RELATIVE_BELOW_S ? "relative" : "absolute";
    return { base: this.#name, name, unit: u ?? this.#unit, time: { kind, s: timeS }, value, sum };
  }
}

// What only one side says counts as added to zero (sec. 4.5.2).
function plus(base: number | undefined, own: number | undefined): number | undefined {
  return base === undefined ? own : base + (own ?? 0);
}

function at(record: object, label: keyof typeof LABELS): unknown {
  const key = Object.hasOwn(record, label) ? label : LABELS[label];
  return Object.hasOwn(record, key) ? Reflect.get(record, key) : undefined;
}

/** Null where the label holds something else. */
function numberAt(record: object, label: keyof typeof LABELS): number | undefined | null {
  const value = at(record, label);
  return value === undefined || (typeof value === "number" && Number.isFinite(value)) ? value : null;
}

/** Null where the label holds something else. */
function textAt(record: object, label: keyof typeof LABELS): string | undefined | null {
  const value = at(record, label);
  return value === undefined || typeof value === "string" ? value : null;
}
