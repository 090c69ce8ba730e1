// From what a message says to readings: fields, event time, entity and id, the same for every format.

import type { Reading, Value } from "../../../shared/pipeline/types.js";
import type { EntityReader, TagOf } from "../entity.js";
import { follow, parsePath } from "./path.js";
import {
  type Decoded,
  type DecodeFault,
  type DecoderOptions,
  type RawMessage,
  READINGS_MAX,
} from "./port.js";
import { createRawKeeper } from "./raw.js";
import { asText } from "./text.js";
import { createTimeReader } from "./time.js";
import { createValueReader, type ReadValue, UNKNOWN_TEXT } from "./value.js";

/** One thing that a message says. */
export interface Item {
  /** Where fields are looked up. */
  readonly body: object;
  /** Where the format itself keeps event time; undefined when it says none, NaN when it says something else. */
  readonly timeMs?: number | undefined;
  /** Of the format itself; what is no tag there may be a value of the body. */
  readonly tags?: ReadonlyMap<string, string>;
  /** What was last said of each field: taken where this says nothing, and brought up to date. */
  readonly held?: Held;
}

/** The last value of each field; null where none was said yet, or that it is missing. */
export type Held = Value[];

/** How a format lays out its values. */
export interface Layout {
  /** `fields` and `id` of the task are paths into objects, or names. */
  readonly places: "paths" | "names";
  /** The format knows only text: "21.5" is a number there. */
  readonly isTextual?: boolean;
}

/** Makes readings of the items of one source's messages. */
export class Shaper {
  readonly #name: string;
  readonly #entityOf: EntityReader;
  readonly #fields: readonly FieldPlace[];
  readonly #timeOf: (item: Item, message: RawMessage) => number | DecodeFault;
  readonly #idSteps: readonly string[] | undefined;
  readonly #rawOf: ReturnType<typeof createRawKeeper>;

  constructor({ name, source, fields, entityOf }: DecoderOptions, { places, isTextual = false }: Layout) {
    const stepsTo = (place: string) => (places === "paths" ? parsePath(place) : [place]);
    const written = "fields" in source.decode ? source.decode.fields : {};
    this.#name = name;
    this.#entityOf = entityOf;
    this.#fields = fields.map((field) => {
      const text = own(source.text, field.name);
      return {
        name: field.name,
        steps: stepsTo(own(written, field.name) ?? field.name),
        read: createValueReader({ field, text, convert: own(source.convert, field.name), isTextual }),
        isListed: text?.kind === "list",
      };
    });
    this.#rawOf = createRawKeeper(source);
    this.#timeOf = createClock(source.time, stepsTo, isTextual);
    this.#idSteps = source.id === undefined ? undefined : stepsTo(source.id);
  }

  /** Room for the last values of one thing. */
  hold(): Held {
    return this.#fields.map(() => null);
  }

  /** Readings of the items; `faults`: what was wrong with the message so far. */
  shape(message: RawMessage, items: Iterable<Item>, faults: DecodeFault[] = []): Decoded {
    const readings: Reading[] = [];
    const batch: Batch = { faults, badValues: 0, raw: this.#rawOf(message.payload) };
    for (const item of items) {
      if (readings.length + faults.length >= READINGS_MAX) {
        faults.push("too-many");
        break;
      }
      const reading = this.#read(item, message, batch);
      if (typeof reading === "string") faults.push(reading);
      else readings.push(reading);
    }
    if (readings.length + faults.length === 0) faults.push("empty");
    return { readings, faults, badValues: batch.badValues };
  }

  #read(item: Item, message: RawMessage, batch: Batch): Reading | DecodeFault {
    const tagOf: TagOf = (tag) => item.tags?.get(tag) ?? tagIn(item.body, tag);
    const entity = this.#entityOf(message.topic, tagOf);
    if (entity === undefined) return this.#entityOf.faultOf(message.topic);
    const timeMs = this.#timeOf(item, message);
    if (typeof timeMs === "string") return timeMs;
    const values = this.#valuesOf(item, batch);
    if (values === undefined) return "no-field";
    const id = this.#idSteps && asText(follow(item.body, this.#idSteps));
    return { source: this.#name, entity, timeMs, values, ...(id === undefined ? {} : { id }), ...batch.raw };
  }

  #valuesOf({ body, held }: Item, batch: Batch): Record<string, Value> | undefined {
    const values: Record<string, Value> = {};
    let isEmpty = this.#fields.length > 0;
    for (let i = 0; i < this.#fields.length; i++) {
      const { name, steps, read, isListed } = this.#fields[i]!;
      const raw = follow(body, steps);
      if (raw === undefined) {
        values[name] = held?.[i] ?? null;
        continue;
      }
      isEmpty = false;
      const value = read(raw);
      if (value === undefined) batch.badValues++;
      if (isListed && value === UNKNOWN_TEXT) batch.faults.push("unknown-text");
      values[name] = value ?? null;
      if (held !== undefined) held[i] = value ?? null;
    }
    return isEmpty ? undefined : values;
  }
}

interface FieldPlace {
  readonly name: string;
  readonly steps: readonly string[];
  readonly read: ReadValue;
  readonly isListed: boolean;
}

interface Batch {
  readonly faults: DecodeFault[];
  badValues: number;
  readonly raw: { readonly raw?: Uint8Array };
}

function createClock(
  time: DecoderOptions["source"]["time"],
  stepsTo: (place: string) => readonly string[],
  isTextual: boolean,
): (item: Item, message: RawMessage) => number | DecodeFault {
  switch (time.kind) {
    case "arrival":
      return (_, { arrivalMs }) => arrivalMs;
    case "message":
      return ({ timeMs }, { arrivalMs }) => {
        if (timeMs === undefined) return arrivalMs;
        return Number.isSafeInteger(timeMs) ? timeMs : "bad-time";
      };
    case "field": {
      const steps = stepsTo(time.field);
      const read = createTimeReader(time, isTextual);
      return ({ body }, { arrivalMs }) => {
        const value = follow(body, steps);
        if (value === undefined || value === null) return "no-time";
        return read(value, typeof arrivalMs === "number" ? arrivalMs : undefined) ?? "bad-time";
      };
    }
  }
}

function tagIn(body: object, tag: string): string | undefined {
  return (
    asText(follow(body, [tag])) ?? (tag.includes(".") ? asText(follow(body, parsePath(tag))) : undefined)
  );
}

function own<Entry>(record: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
