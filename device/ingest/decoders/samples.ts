// Blocks of raw samples: vibration, current, sound. A block becomes one Float32Array per channel, read straight from
// the message's bytes; nothing is allocated per sample.

import { assert } from "../../../shared/assert.js";
import type { Reading, Value } from "../../../shared/pipeline/types.js";
import type { SamplesHeader, SamplesSpec, SampleType } from "../../../shared/task/decode-spec.js";
import { isObject, parseJson } from "./objects.js";
import { follow, parsePath } from "./path.js";
import {
  type Decode,
  type DecodeFault,
  type DecoderOptions,
  fault,
  type RawMessage,
  READINGS_MAX,
} from "./port.js";
import { createRawKeeper } from "./raw.js";
import { asText } from "./text.js";
import { createTimeReader, epochMs } from "./time.js";

/** A decoder for `decode: samples`. The time of a reading is that of its first sample. */
export function createSamplesDecoder(options: DecoderOptions): Decode {
  const { decode: spec } = options.source;
  assert(spec.kind === "samples", "the registry gives each decoder its own kind of source");
  const channels = channelsOf(options, spec);
  const findBlock = createBlockFinder(options, spec);
  const width = WIDTHS[spec.type] * spec.channels.length;
  const rawOf = createRawKeeper(options.source);
  return (message) => {
    const block = findBlock(message);
    if (typeof block === "string") return fault(block);
    const { samples, startMs, tagOf } = block;
    const frames = samples.length / width;
    const count = frames / spec.length;
    if (count === 0 || !Number.isInteger(count)) return fault("bad-length");
    if (count > READINGS_MAX) return fault("too-many");
    const entity = options.entityOf(message.topic, tagOf);
    if (entity === undefined) return fault(options.entityOf.faultOf(message.topic));
    const firstMs = startMs ?? arrivedFrom(message, (frames / spec.rateHz) * 1000);
    if (typeof firstMs === "string") return fault(firstMs);
    const view = new DataView(samples.buffer, samples.byteOffset, samples.length);
    const readings: Reading[] = [];
    const raw = rawOf(message.payload);
    let badValues = 0;
    for (let i = 0; i < count; i++) {
      const values = readBlock(view, i * spec.length * width, channels, spec);
      for (const value of Object.values(values)) if (value === null) badValues++;
      const timeMs = Math.round(firstMs + (i * spec.length * 1000) / spec.rateHz);
      readings.push({ source: options.name, entity, timeMs, values, ...raw });
    }
    return { readings, faults: [], badValues };
  };
}

const WIDTHS: Readonly<Record<SampleType, number>> = { i8: 1, u8: 1, i16: 2, u16: 2, i32: 4, f32: 4 };

/** A channel that the pipeline reads: where it is in a frame, and what its raw samples are multiplied by. */
interface Channel {
  readonly name: string;
  readonly index: number;
  readonly times: number;
  readonly plus: number;
}

function channelsOf({ fields, source }: DecoderOptions, { channels, scale, offset }: SamplesSpec): Channel[] {
  return fields
    .filter(({ name }) => channels.includes(name))
    .map(({ name }) => {
      const { times, plus } = Object.hasOwn(source.convert, name)
        ? source.convert[name]!
        : { times: 1, plus: 0 };
      return { name, index: channels.indexOf(name), times: scale * times, plus: offset * times + plus };
    });
}

interface Block {
  readonly samples: Uint8Array;
  /** Of the first sample; undefined: it came when the last one had been taken. */
  readonly startMs: number | undefined;
  readonly tagOf: (name: string) => string | undefined;
}

function createBlockFinder(
  { source }: DecoderOptions,
  spec: SamplesSpec,
): (message: RawMessage) => Block | DecodeFault {
  const { header, json } = spec;
  const hasOwnTime = source.time.kind === "message";
  const open = (
    bytes: Uint8Array,
    startMs: number | undefined,
    tagOf: Block["tagOf"],
  ): Block | DecodeFault => {
    if (header === undefined) return { samples: bytes, startMs, tagOf };
    if (bytes.length <= header.bytes) return "bad-length";
    const ownMs = hasOwnTime ? readHeaderTime(bytes, header, spec.order) : undefined;
    if (ownMs === "bad-time") return ownMs;
    return { samples: bytes.subarray(header.bytes), startMs: startMs ?? ownMs, tagOf };
  };
  if (json === undefined) return ({ payload }) => open(payload, undefined, () => undefined);
  const steps = parsePath(json);
  const timeOf = createJsonClock(source.time);
  return (message) => {
    const body = parseJson(message.payload)?.value;
    if (body === undefined) return "not-json";
    if (!isObject(body)) return "no-object";
    const text = follow(body, steps);
    if (typeof text !== "string" || !BASE64.test(text)) return "not-base64";
    const startMs = timeOf(body, message);
    if (typeof startMs === "string") return startMs;
    return open(Buffer.from(text, "base64"), startMs, (name) => asText(follow(body, parsePath(name))));
  };
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function createJsonClock(
  time: DecoderOptions["source"]["time"],
): (body: object, message: RawMessage) => number | DecodeFault | undefined {
  if (time.kind !== "field") return () => undefined;
  const steps = parsePath(time.field);
  const read = createTimeReader(time, false);
  return (body, { arrivalMs }) => {
    const value = follow(body, steps);
    if (value === undefined || value === null) return "no-time";
    return read(value, typeof arrivalMs === "number" ? arrivalMs : undefined) ?? "bad-time";
  };
}

function readHeaderTime(
  bytes: Uint8Array,
  { time }: SamplesHeader,
  order: SamplesSpec["order"],
): number | "bad-time" | undefined {
  if (time === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittle = order === "little";
  switch (time.type) {
    case "u32":
      return epochMs(view.getUint32(time.at, isLittle), time.unit) ?? "bad-time";
    case "u64":
      return epochMs(Number(view.getBigUint64(time.at, isLittle)), time.unit) ?? "bad-time";
    case "f64":
      return epochMs(view.getFloat64(time.at, isLittle), time.unit) ?? "bad-time";
  }
}

function arrivedFrom({ arrivalMs }: RawMessage, lengthMs: number): number | DecodeFault {
  return typeof arrivalMs === "number" ? arrivalMs - lengthMs : arrivalMs;
}

function readBlock(
  view: DataView,
  start: number,
  channels: readonly Channel[],
  spec: SamplesSpec,
): Record<string, Value> {
  const values: Record<string, Value> = {};
  const width = WIDTHS[spec.type];
  const stride = width * spec.channels.length;
  for (const { name, index, times, plus } of channels) {
    const out = new Float32Array(spec.length);
    const place = { start: start + index * width, stride, isLittle: spec.order === "little" };
    readers[spec.type](view, place, out);
    values[name] = scale(out, times, plus) ? out : null;
  }
  return values;
}

/** Answers whether all are finite. */
function scale(out: Float32Array, times: number, plus: number): boolean {
  let isSound = true;
  for (let i = 0; i < out.length; i++) {
    const value = out[i]! * times + plus;
    out[i] = value;
    if (value - value !== 0) isSound = false;
  }
  return isSound;
}

interface Place {
  readonly start: number;
  readonly stride: number;
  readonly isLittle: boolean;
}

type ReadSamples = (view: DataView, place: Place, out: Float32Array) => void;

// A loop for each type: a call per sample through a table would cost more than the reading.
const readers: Readonly<Record<SampleType, ReadSamples>> = {
  i8(view, { start, stride }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getInt8(start + i * stride);
  },
  u8(view, { start, stride }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getUint8(start + i * stride);
  },
  i16(view, { start, stride, isLittle }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getInt16(start + i * stride, isLittle);
  },
  u16(view, { start, stride, isLittle }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getUint16(start + i * stride, isLittle);
  },
  i32(view, { start, stride, isLittle }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getInt32(start + i * stride, isLittle);
  },
  f32(view, { start, stride, isLittle }, out) {
    for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(start + i * stride, isLittle);
  },
};
