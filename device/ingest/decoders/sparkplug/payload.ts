// A Sparkplug B payload: metrics with values of the types that can be numbers or text. Property sets, data sets,
// templates and files are passed over unread.
// Sparkplug 3.0.0, chapter 6 and its Google Protocol Buffer schema.

import { bytesField, type ProtoField, readFields, signed, unsigned, varintField } from "./protobuf.js";

export interface SparkplugPayload {
  readonly timestampMs: number | undefined;
  readonly seq: number | undefined;
  readonly metrics: readonly Metric[];
}

export interface Metric {
  readonly name: string | undefined;
  /** Rounded beyond 2^53. */
  readonly alias: number | undefined;
  readonly timestampMs: number | undefined;
  /** Data messages may leave it out: then it is the birth's (6.4.3). */
  readonly type: number | undefined;
  readonly isHistorical: boolean;
  readonly isNull: boolean;
  readonly value: ProtoField | undefined;
}

const METRICS_MAX = 10_000;
const NAME_MAX = 256;

/** Undefined when the bytes are no payload, or one of more than 10,000 metrics. */
export function readPayload(bytes: Uint8Array): SparkplugPayload | undefined {
  let timestampMs: number | undefined;
  let seq: number | undefined;
  const metrics: Metric[] = [];
  for (const field of readFields(bytes)) {
    if (field === undefined) return undefined;
    if (field.number === 1 && field.kind === "varint") timestampMs = unsigned(field);
    if (field.number === 3 && field.kind === "varint") seq = unsigned(field);
    if (field.number !== 2) continue;
    const metric = field.kind === "bytes" ? readMetric(field.bytes) : undefined;
    if (metric === undefined || metrics.length === METRICS_MAX) return undefined;
    metrics.push(metric);
  }
  return { timestampMs, seq, metrics };
}

/** Fits no field. */
const UNREADABLE = {};

/** The value of a metric of this type: null where it is null, an empty object where the type is none of ours. */
export function readValue({ isNull, value }: Metric, type: number | undefined): unknown {
  if (isNull) return null;
  if (value === undefined || type === undefined || !Object.hasOwn(types, type)) return UNREADABLE;
  return types[type]!(value) ?? UNREADABLE;
}

/** The command that asks an edge node for its births (6.4.19). */
export function rebirthCommand(timestampMs: number): Uint8Array {
  const name = bytesField(1, Buffer.from("Node Control/Rebirth"));
  const metric = Buffer.concat([name, varintField(4, BOOLEAN), varintField(14, 1)]);
  return Buffer.concat([varintField(1, timestampMs), bytesField(2, metric)]);
}

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

function readMetric(bytes: Uint8Array): Metric | undefined {
  const metric: Writable<Metric> = {
    ...{ name: undefined, alias: undefined, timestampMs: undefined, type: undefined },
    ...{ isHistorical: false, isNull: false, value: undefined },
  };
  for (const field of readFields(bytes)) {
    if (field === undefined) return undefined;
    if (field.number >= 10 && field.number <= 15) metric.value = field;
    else if (field.number === 1 && field.kind === "bytes") metric.name = textOf(field.bytes);
    else if (field.kind === "varint") takeVarint(metric, field);
  }
  return metric;
}

function takeVarint(metric: Writable<Metric>, field: Extract<ProtoField, { readonly kind: "varint" }>): void {
  switch (field.number) {
    case 2:
      metric.alias = unsigned(field);
      break;
    case 3:
      metric.timestampMs = unsigned(field);
      break;
    case 4:
      metric.type = unsigned(field);
      break;
    case 5:
      metric.isHistorical = field.low !== 0;
      break;
    case 7:
      metric.isNull = field.low !== 0;
      break;
    default: // is_transient and others say nothing about the value
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > 4 * NAME_MAX) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

const BOOLEAN = 11;

type ReadType = (field: ProtoField) => number | boolean | string | undefined;

// Integers of up to 32 bits come in two's complement of 32 bits, some publishers say of their own width (6.4.16).
const types: Readonly<Record<number, ReadType>> = {
  1: integer(({ low }) => (low << 24) >> 24),
  2: integer(({ low }) => (low << 16) >> 16),
  3: integer(({ low }) => low | 0),
  4: integer(signed),
  5: integer(({ low }) => low & 0xff),
  6: integer(({ low }) => low & 0xffff),
  7: integer(({ low }) => low >>> 0),
  8: integer(unsigned),
  9: fixed(4, (view) => view.getFloat32(0, true)),
  10: fixed(8, (view) => view.getFloat64(0, true)),
  [BOOLEAN]: (field) => (field.kind === "varint" ? field.low !== 0 : undefined),
  12: text,
  13: integer(unsigned),
  14: text,
  15: text,
};

function integer(read: (value: { readonly low: number; readonly high: number }) => number): ReadType {
  return (field) => (field.kind === "varint" ? read(field) : undefined);
}

function fixed(bytes: number, read: (view: DataView) => number): ReadType {
  return (field) =>
    field.kind === "fixed" && field.bytes.length === bytes
      ? read(new DataView(field.bytes.buffer, field.bytes.byteOffset, bytes))
      : undefined;
}

function text(field: ProtoField): string | undefined {
  return field.kind === "bytes" ? textOf(field.bytes) : undefined;
}
