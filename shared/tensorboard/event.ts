// TensorBoard's events as bytes: tensorflow.Event (a protobuf) in TensorFlow's record framing. Only what we write: the
// version that begins a file, and scalars.

import { maskedCrc32c } from "./crc32c.js";

/** Numbers by tag, all of one step. */
export interface ScalarEvent {
  /** Since the Unix epoch. */
  readonly wallSeconds: number;
  readonly step: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The first record of a file. */
export function versionRecord(wallSeconds: number): Uint8Array {
  return frame(Buffer.concat([double(1, wallSeconds), text(3, "brain.Event:2")]));
}

/** A record; equal events make equal bytes. */
export function scalarRecord({ wallSeconds, step, scalars }: ScalarEvent): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, Buffer.concat([text(1, tag), float(2, value)])),
  );
  return frame(Buffer.concat([double(1, wallSeconds), integer(2, step), bytes(5, Buffer.concat(values))]));
}

/** Length, its checksum, data, its checksum; little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(8 + 4 + data.length + 4);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return record;
}

// Wire types of protobuf's encoding.
const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;

function double(field: number, value: number): Buffer {
  const out = Buffer.alloc(9);
  out[0] = (field << 3) | FIXED_64;
  out.writeDoubleLE(value, 1);
  return out;
}

function float(field: number, value: number): Buffer {
  const out = Buffer.alloc(5);
  out[0] = (field << 3) | FIXED_32;
  out.writeFloatLE(value, 1);
  return out;
}

function integer(field: number, value: number): Buffer {
  return Buffer.from([(field << 3) | VARINT, ...varint(value)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, "utf8"));
}

function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | DELIMITED, ...varint(value.length)]), value]);
}

/** Of a whole number from 0 to 2^53 - 1. */
function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) | 128);
  }
}
