// A reading as the sensor would have published it: the inverse of what a device decodes.

import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Reading, Value } from "../../shared/pipeline/types.js";
import type { DecodeSpec, TimeSpec, TimeUnit } from "../../shared/task/decode-spec.js";
import type { SourceSpec, Task } from "../../shared/task/task.js";

/** Where and what a sensor publishes. */
export interface SensorMessages {
  /** The topic of a reading of this device. */
  topicOf(device: DeviceId, reading: Reading): string;
  /** The payload of one reading, or of several of one topic. */
  payloadOf(readings: readonly Reading[]): Buffer;
  /** False when every message holds one reading. */
  readonly canBatch: boolean;
}

/** How messages of this source look. Throws `task-invalid` when the task does not say on which topics they are. */
export function sensorMessages(task: Task, sourceName: string): SensorMessages {
  const source = task.sources[sourceName];
  assert(source !== undefined, `the task has a source ${sourceName}`);
  const { mqtt: filter } = source;
  const format = formatOf(source.decode, sourceName);
  if (filter === undefined) {
    throw new HeadwaterError("task-invalid", `sources.${sourceName}.mqtt: missing: telemetry needs a topic`);
  }
  const asSent = createInverse(source, sourceName);
  const template = source.entity ?? task.entity;
  const tag = /^\{tag\.(.+)\}$/.exec(template)?.[1];
  return {
    canBatch: format.kind === "json",
    topicOf: (device, { entity }) => fillIn(filter, { template, device, entity }),
    payloadOf(readings) {
      if (format.kind === "number") {
        const value = readings[0]?.values[format.field] ?? null;
        return Buffer.from(value === null ? "" : String(asSent(format.field, value)));
      }
      const objects = readings.map((reading) => {
        const object = toObject(reading, source.time, format.fields, asSent);
        if (tag !== undefined) put(object, tag, reading.entity);
        return object;
      });
      return Buffer.from(JSON.stringify(objects.length === 1 ? objects[0] : objects));
    },
  };
}

type Format =
  | { readonly kind: "json"; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: "number"; readonly field: string };

function formatOf(decode: DecodeSpec, sourceName: string): Format {
  if (decode.kind === "json") return { kind: decode.kind, fields: decode.fields };
  if (decode.kind === "number") return { kind: decode.kind, field: decode.field };
  const where = `sources.${sourceName}.decode`;
  throw new HeadwaterError("task-invalid", `${where}: ${decode.kind}: a replay publishes json or number`);
}

/** The filter with its wildcards filled in, so that the task's template reads the entity off it again. */
function fillIn(
  filter: string,
  {
    template,
    device,
    entity,
  }: { readonly template: string; readonly device: DeviceId; readonly entity: string },
): string {
  const entityLevel = /^\{topic\.(\d+)\}$/.exec(template)?.[1];
  const levels = filter.split("/").map((level, index) => {
    if (level !== "+" && level !== "#") return level;
    return String(index) === entityLevel ? asLevel(entity) : device;
  });
  return levels.join("/");
}

function asLevel(text: string): string {
  return text.replace(/[/+#\0]/g, "-");
}

type AsSent = (field: string, value: Exclude<Value, null>) => number | string | number[];

/** What the sensor must have sent for the device to make this value of it. */
function createInverse({ text, convert }: SourceSpec, sourceName: string): AsSent {
  const hashed = Object.keys(text).find((field) => text[field]!.kind === "hash");
  if (hashed !== undefined) {
    const where = `sources.${sourceName}.text.${hashed}`;
    throw new HeadwaterError("task-invalid", `${where}: hash: a replay cannot find the text behind it`);
  }
  return (field, value) => {
    const { times, plus } = Object.hasOwn(convert, field) ? convert[field]! : { times: 1, plus: 0 };
    if (typeof value !== "number") return Array.from(value, (each) => (each - plus) / times);
    const number = (value - plus) / times;
    const rule = Object.hasOwn(text, field) ? text[field] : undefined;
    return rule?.kind === "list" ? (rule.words[number] ?? "") : number;
  };
}

function toObject(
  { timeMs, values }: Reading,
  time: TimeSpec,
  paths: Readonly<Record<string, string>>,
  asSent: AsSent,
): object {
  const object = {};
  if (time.kind === "field") put(object, time.field, timeIn(time.unit, timeMs));
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) put(object, Object.hasOwn(paths, name) ? paths[name]! : name, asSent(name, value));
  }
  return object;
}

function timeIn(unit: TimeUnit, timeMs: number): number | string {
  switch (unit) {
    case "s":
      return timeMs / 1000;
    case "ms":
      return timeMs;
    case "us":
      return timeMs * 1e3;
    case "ns":
      return timeMs * 1e6;
    // Text without a zone may bring one: so it says the same everywhere.
    case "iso":
    case "local":
      return new Date(timeMs).toISOString();
  }
}

/** Puts a value at a path such as "DS18B20.Temperature" or "values[0]", making what is on the way. */
function put(object: object, path: string, value: unknown): void {
  const steps = path.replace(/\[(\d+)\]/g, ".$1").split(".");
  let place = object as Record<string, unknown>;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    place[step] ??= /^\d+$/.test(steps[index + 1]!) ? [] : {};
    place = place[step] as Record<string, unknown>;
  }
  place[steps.at(-1)!] = value;
}
