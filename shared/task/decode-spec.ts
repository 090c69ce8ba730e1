// How a source's messages are read: their format, where their time is, and what their values become.

/** How text becomes a number. */
export type TextSpec =
  /** Its place in the list; -1 when it is not there. */
  | { readonly kind: "list"; readonly words: readonly string[] }
  /** The 32-bit FNV-1a hash of its UTF-8 bytes. */
  | { readonly kind: "hash" }
  /** Digits in quotes: "21.5" is 21.5. */
  | { readonly kind: "number" };

export interface ConvertSpec {
  readonly times: number;
  readonly plus: number;
}

/** Event time: in a field, in the format's own place, or when the message came. */
export type TimeSpec =
  | {
      readonly kind: "field";
      readonly field: string;
      readonly unit: TimeUnit;
      /** IANA name, only of `local`; undefined: the machine's own zone. */
      readonly zone?: string | undefined;
    }
  /** Where the format keeps it (SenML, Influx, Sparkplug, Shelly, a block's header); when it came if it is not there. */
  | { readonly kind: "message" }
  | { readonly kind: "arrival" };

/** Since the Unix epoch; ISO 8601 text with its zone; or the same without a zone. */
export type TimeUnit = "s" | "ms" | "us" | "ns" | "iso" | "local";

/** How a message becomes fields. `fields` says where those are found that are not under their own name. */
export type DecodeSpec =
  /** Objects: field -> path. */
  | { readonly kind: "json" | "msgpack" | "cbor" | "tasmota" | "shelly"; readonly fields: Places }
  | { readonly kind: "zigbee2mqtt"; readonly fields: Places; readonly base: string }
  /** Named values side by side: field -> name. */
  | { readonly kind: "senml" | "senml-cbor" | "sparkplug"; readonly fields: Places }
  | {
      readonly kind: "influx";
      readonly fields: Places;
      /** Lines of other measurements are left alone; undefined: all are taken. */
      readonly measurement: string | undefined;
      readonly precision: "s" | "ms" | "us" | "ns";
    }
  | {
      readonly kind: "csv";
      readonly fields: Places;
      /** Undefined: the first line of every message names them. */
      readonly columns: readonly string[] | undefined;
      readonly delimiter: string;
      /** Texts that stand for no value. */
      readonly missing: readonly string[];
    }
  /** The whole message is the value of one field. */
  | { readonly kind: "number" | "boolean" | "text"; readonly field: string }
  /** The same, and the topic names the value unless `field` does. */
  | {
      readonly kind: "esphome" | "homeassistant";
      readonly field: string | undefined;
      readonly fields: Places;
    }
  | SamplesSpec;

type Places = Readonly<Record<string, string>>;

/** Blocks of raw samples, interleaved when there are several channels: one vector field per channel. */
export interface SamplesSpec {
  readonly kind: "samples";
  readonly type: SampleType;
  readonly order: "little" | "big";
  readonly channels: readonly string[];
  /** Samples of one reading, per channel; a message holds a whole number of readings. */
  readonly length: number;
  /** Samples a second, per channel. */
  readonly rateHz: number;
  /** A sample is raw x scale + offset. */
  readonly scale: number;
  readonly offset: number;
  readonly header: SamplesHeader | undefined;
  /** Path of the block as base64 in a JSON object; undefined: the message is the block. */
  readonly json: string | undefined;
}

export type SampleType = "i8" | "u8" | "i16" | "u16" | "i32" | "f32";

/** Bytes before the samples, and where among them the time of the first sample is. */
export interface SamplesHeader {
  readonly bytes: number;
  readonly time:
    | {
        readonly at: number;
        readonly type: "u32" | "u64" | "f64";
        readonly unit: "s" | "ms" | "us" | "ns";
      }
    | undefined;
}
