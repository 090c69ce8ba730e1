// Reads event files as TensorBoard would, by the description of the format and not by our writer.

import protobuf from "protobufjs";
import { maskedCrc32c } from "../../shared/tensorboard/crc32c.js";
import type { ScalarEvent } from "../../shared/tensorboard/event.js";

const { root } = protobuf.parse(`syntax = "proto3";
message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }`);
const Event = root.lookupType("Event");

/** Its scalar events, in order. Throws on a record whose checksums are wrong. */
export function readRecords(file: Buffer): ScalarEvent[] {
  const events: ScalarEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    const isWhole =
      file.readUInt32LE(at + 8) === maskedCrc32c(file.subarray(at, at + 8)) &&
      file.readUInt32LE(at + 12 + length) === maskedCrc32c(data);
    if (!isWhole) throw new Error(`the record at ${at} is damaged`);
    at += 16 + length;
    const decoded = Event.toObject(Event.decode(data), { longs: Number, defaults: true });
    const values: { tag: string; simpleValue: number }[] = decoded.summary?.value ?? [];
    if (values.length === 0) continue;
    const scalars = Object.fromEntries(values.map(({ tag, simpleValue }) => [tag, simpleValue]));
    events.push({ wallSeconds: decoded.wallTime, step: decoded.step, scalars });
  }
  return events;
}
