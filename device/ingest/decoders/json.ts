// JSON objects, one or an array of them: gateways send in batches.

import type { Reading, Value } from "../../../shared/pipeline/types.js";
import { follow, parsePath } from "./path.js";
import type { Decode, DecodeFault, DecoderOptions, RawMessage } from "./port.js";
import { readTime } from "./time.js";
import { readValue } from "./value.js";

/** A decoder for `decode: json`. */
export function createJsonDecoder(options: DecoderOptions): Decode {
  const { source, fields, entityOf } = options;
  const paths = source.decode.kind === "json" ? source.decode.fields : {};
  const places = fields.map(({ name, length }) => ({
    name,
    length,
    steps: Object.hasOwn(paths, name) ? parsePath(paths[name]!) : [name],
  }));
  const timeOf = createClock(source.time);
  return (message) => {
    const entity = entityOf(message.topic);
    if (entity === undefined) return fault("topic-too-short");
    const json = parse(message.payload);
    if (json === undefined) return fault("not-json");
    const batch = new Batch(options.name, entity, places);
    for (const item of Array.isArray(json) ? json : [json]) batch.add(item, timeOf(item, message));
    return batch;
  };
}

interface Place {
  readonly name: string;
  readonly length: number;
  readonly steps: readonly string[];
}

/** What has come of one message so far. */
class Batch {
  readonly readings: Reading[] = [];
  readonly faults: DecodeFault[] = [];
  badValues = 0;
  readonly #source: string;
  readonly #entity: string;
  readonly #places: readonly Place[];

  constructor(source: string, entity: string, places: readonly Place[]) {
    this.#source = source;
    this.#entity = entity;
    this.#places = places;
  }

  add(item: unknown, time: number | DecodeFault): void {
    if (typeof item !== "object" || item === null || Array.isArray(item)) this.faults.push("no-object");
    else if (typeof time === "string") this.faults.push(time);
    else {
      const values = this.#valuesOf(item);
      this.readings.push({ source: this.#source, entity: this.#entity, timeMs: time, values });
    }
  }

  #valuesOf(item: object): Record<string, Value> {
    const values: Record<string, Value> = {};
    for (const { name, length, steps } of this.#places) {
      const value = readValue(follow(item, steps), length);
      if (value === undefined) this.badValues++;
      values[name] = value ?? null;
    }
    return values;
  }
}

function createClock(
  time: DecoderOptions["source"]["time"],
): (item: unknown, message: RawMessage) => number | DecodeFault {
  if (time.kind === "arrival") return (_, { arrivalMs }) => arrivalMs;
  const steps = parsePath(time.field);
  return (item) => {
    const value = follow(item, steps);
    if (value === undefined || value === null) return "no-time";
    return readTime(value, time.unit) ?? "bad-time";
  };
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8"));
  } catch {
    return undefined;
  }
}

function fault(reason: DecodeFault) {
  return { readings: [], faults: [reason], badValues: 0 };
}
