// A Sparkplug B payload: metrics with values of the types that can be numbers or text. Property sets, data sets,
// templates and files are passed over unread. protobufjs reads the wire format field by field, so that nothing is built
// of what we do not look at, and a value is there whether or not its type is.
// Sparkplug 3.0.0, chapter 6 and its Google Protocol Buffer schema.

import protobuf from "protobufjs/minimal.js";

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
  readonly value: RawValue | undefined;
}

/** As on the wire: what an integer means, the metric's type says. */
type RawValue = Integer | number | string;

/** 64 bits in two halves. */
interface Integer {
  readonly low: number;
  readonly high: number;
}

const METRICS_MAX = 10_000;
const NAME_BYTES_MAX = 1024;

/** Undefined when the bytes are no payload, or one of more than 10,000 metrics. Never throws. */
export function readPayload(bytes: Uint8Array): SparkplugPayload | undefined {
  try {
    return readFields(bytes);
  } catch {
    return undefined;
  }
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
  return protobuf.Writer.create()
    .uint32(PAYLOAD.timestamp)
    .uint64(timestampMs)
    .uint32(PAYLOAD.metric)
    .fork()
    .uint32(METRIC.name)
    .string("Node Control/Rebirth")
    .uint32(METRIC.type)
    .uint32(BOOLEAN)
    .uint32(METRIC.truth)
    .bool(true)
    .ldelim()
    .finish();
}

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5] as const;

/** What stands before a field: its number and how it is written. Written otherwise, it is passed over. */
function tag(field: number, wire: number): number {
  return (field << 3) | wire;
}

const PAYLOAD = { timestamp: tag(1, VARINT), metric: tag(2, BYTES), seq: tag(3, VARINT) };
const METRIC = {
  ...{ name: tag(1, BYTES), alias: tag(2, VARINT), timestamp: tag(3, VARINT), type: tag(4, VARINT) },
  ...{ isHistorical: tag(5, VARINT), isNull: tag(7, VARINT) },
  ...{ int: tag(10, VARINT), long: tag(11, VARINT), float: tag(12, FIXED32), double: tag(13, FIXED64) },
  ...{ truth: tag(14, VARINT), text: tag(15, BYTES) },
};

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

function readFields(bytes: Uint8Array): SparkplugPayload | undefined {
  const metrics: Metric[] = [];
  const payload: Writable<SparkplugPayload> = { timestampMs: undefined, seq: undefined, metrics };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const at = reader.tag();
    if (at === PAYLOAD.timestamp) payload.timestampMs = unsigned(reader.uint64());
    else if (at === PAYLOAD.seq) payload.seq = unsigned(reader.uint64());
    else if (at !== PAYLOAD.metric) reader.skipType(at & 7, 0, at >>> 3);
    else if (metrics.push(readMetric(reader.bytes())) > METRICS_MAX) return undefined;
  }
  return payload;
}

function readMetric(bytes: Uint8Array): Metric {
  const metric: Writable<Metric> = {
    ...{ name: undefined, alias: undefined, timestampMs: undefined, type: undefined },
    ...{ isHistorical: false, isNull: false, value: undefined },
  };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const at = reader.tag();
    switch (at) {
      case METRIC.name:
        metric.name = textOf(reader.bytes());
        break;
      case METRIC.alias:
        metric.alias = unsigned(reader.uint64());
        break;
      case METRIC.timestamp:
        metric.timestampMs = unsigned(reader.uint64());
        break;
      case METRIC.type:
        metric.type = reader.uint32();
        break;
      case METRIC.isHistorical:
        metric.isHistorical = reader.bool();
        break;
      case METRIC.isNull:
        metric.isNull = reader.bool();
        break;
      case METRIC.int:
      case METRIC.long:
      case METRIC.truth:
        metric.value = reader.uint64();
        break;
      case METRIC.float:
        metric.value = reader.float();
        break;
      case METRIC.double:
        metric.value = reader.double();
        break;
      case METRIC.text:
        metric.value = textOf(reader.bytes());
        break;
      default:
        reader.skipType(at & 7, 0, at >>> 3);
    }
  }
  return metric;
}

/** Rounded beyond 2^53. */
function unsigned({ low, high }: Integer): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}

/** Of two's complement; rounded beyond 2^53. */
function signed({ low, high }: Integer): number {
  return (high | 0) * 2 ** 32 + (low >>> 0);
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > NAME_BYTES_MAX) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

const BOOLEAN = 11;

type ReadType = (value: RawValue) => number | boolean | string | undefined;

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
  9: real,
  10: real,
  [BOOLEAN]: integer(({ low }) => low !== 0),
  12: text,
  13: integer(unsigned),
  14: text,
  15: text,
};

function integer(read: (bits: Integer) => number | boolean): ReadType {
  return (value) => (typeof value === "object" ? read(value) : undefined);
}

function real(value: RawValue): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function text(value: RawValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}
