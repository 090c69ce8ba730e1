// SenML in JSON and CBOR (RFC 8428): the records of one base name and one time are one reading.

import { parseJson } from "./objects.js";
import { type Decode, type DecodeFault, type DecoderOptions, fault, type RawMessage } from "./port.js";
import { type ResolvedRecord, resolveSenml } from "./senml-records.js";
import { type Item, Shaper } from "./shape.js";
import { epochMs } from "./time.js";

/**
 * A decoder for `decode: senml`: a field is a record's NAME with or without its base, NAME@UNIT, or NAME.sum; the base
 * is {tag.base}.
 */
export function createSenmlDecoder(options: DecoderOptions): Decode {
  return createDecoder(options, "not-json", parseJson);
}

/** A decoder for `decode: senml-cbor`. */
export async function createSenmlCborDecoder(options: DecoderOptions): Promise<Decode> {
  const { readCbor } = await import("./cbor.js");
  return createDecoder(options, "not-cbor", readCbor);
}

type Parse = (payload: Uint8Array) => { readonly value: unknown } | undefined;

function createDecoder(options: DecoderOptions, reason: DecodeFault, parse: Parse): Decode {
  const shaper = new Shaper(options, { places: "names" });
  return (message) => {
    const parsed = parse(message.payload);
    if (parsed === undefined) return fault(reason);
    const records = resolveSenml(parsed.value);
    if (typeof records === "string") return fault(records);
    const faults: DecodeFault[] = [];
    return shaper.shape(message, groups(records, message, faults), faults);
  };
}

function groups(
  records: readonly ResolvedRecord[],
  message: RawMessage,
  faults: DecodeFault[],
): Iterable<Item> {
  const items = new Map<string, Group>();
  for (const record of records) {
    const { base, time } = record;
    const timeMs = timeOf(time, message);
    if (typeof timeMs === "string") {
      faults.push(timeMs);
      continue;
    }
    const key = `${timeMs} ${base}`;
    let item = items.get(key);
    if (item === undefined) {
      item = { body: Object.create(null), timeMs, tags: tagsOf(base), said: new Set() };
      items.set(key, item);
    }
    if (!addTo(item, record)) faults.push("repeated");
  }
  return items.values();
}

/** Records of one time. */
interface Group extends Item {
  readonly body: Record<string, unknown>;
  /** Names and units of the values, and of the sums, that are in `body`. */
  readonly said: Set<string>;
}

/** False when its name and unit have a value, or a sum, already: then that one stays. */
function addTo({ body, said }: Group, { base, name, unit = "", value, sum }: ResolvedRecord): boolean {
  const [valueKey, sumKey] = [`${name}@${unit}`, `${name}@${unit}.sum`];
  const isRepeated = (value !== undefined && said.has(valueKey)) || (sum !== undefined && said.has(sumKey));
  for (const each of [name, name.slice(base.length)]) {
    if (value !== undefined) {
      body[each] ??= value;
      // Some publishers give all they measure one name and tell it apart by its unit (sec. 5.1.3).
      body[`${each}@${unit}`] ??= value;
    }
    if (sum !== undefined) body[`${each}.sum`] ??= sum;
  }
  if (value !== undefined) said.add(valueKey);
  if (sum !== undefined) said.add(sumKey);
  return !isRepeated;
}

function timeOf(time: ResolvedRecord["time"], { arrivalMs }: RawMessage): number | DecodeFault {
  if (time.kind === "absolute") return epochMs(time.s, "s") ?? "bad-time";
  return typeof arrivalMs === "number" ? Math.round(arrivalMs + time.s * 1000) : arrivalMs;
}

// "urn:dev:ow:10e2073a0108006:" ends in what parts it from the names.
function tagsOf(base: string): ReadonlyMap<string, string> {
  const text = base.replace(/[:/._-]$/, "");
  return new Map(text === "" ? [] : [["base", text]]);
}
