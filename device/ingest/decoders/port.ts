// From a message to readings, as an interface: one decoder per source of the task.

import type { Field } from "../../../shared/pipeline/operators/port.js";
import type { Stateful } from "../../../shared/pipeline/state.js";
import type { Reading } from "../../../shared/pipeline/types.js";
import type { SourceSpec } from "../../../shared/task/task.js";
import type { EntityReader } from "../entity.js";

/** A message of a sensor. */
export interface RawMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** When it came, or why that says nothing about when it was published. */
  readonly arrivalMs: number | ArrivalUnknown;
}

/** The broker had kept the message; or the machine's clock has not been set yet. */
export type ArrivalUnknown = "retained" | "clock-unset";

/** Why a message, or a part of it, gave no reading or not the whole of one. */
export type DecodeFault =
  | ArrivalUnknown
  | "not-json"
  | "not-msgpack"
  | "not-cbor"
  | "not-csv"
  | "not-senml"
  | "not-influx"
  | "not-sparkplug"
  | "not-base64"
  | "not-a-number"
  | "not-a-boolean"
  | "not-text"
  /** An array holds something else than objects. */
  | "no-object"
  /** A format's way to say nothing: no line, no record. */
  | "empty"
  /** None of the fields that the pipeline reads. */
  | "no-field"
  | "no-time"
  | "bad-time"
  | "topic-too-short"
  /** A tag or level that names the entity is absent or empty. */
  | "no-entity"
  /** More readings in one message than are looked at. */
  | "too-many"
  /** Text that is not in the field's list: its value is -1. */
  | "unknown-text"
  /** A line with more or fewer values than columns. */
  | "bad-row"
  /** A block that is no whole number of readings. */
  | "bad-length"
  /** A second value of one name, unit and time in one message: the first one counts. */
  | "repeated"
  /** Part of the protocol, but no values: an availability, a command, a death. */
  | "not-telemetry"
  /** A version of the format newer than what is read here. */
  | "unknown-version"
  /** Metrics whose names only a lost birth told. */
  | "no-birth"
  | "seq-gap"
  /** The death of a session that is over already. */
  | "stale-death";

/** What came of a message: its readings, and what was wrong with parts of it. */
export interface Decoded {
  readonly readings: readonly Reading[];
  readonly faults: readonly DecodeFault[];
  /** Values that do not fit their field; each became a missing value. */
  readonly badValues: number;
  /** What the protocol wants to be published in return. Whoever publishes it sees to how often. */
  readonly replies?: readonly Reply[];
}

export interface Reply {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Decodes one source's messages. Never throws. */
export interface Decode {
  (message: RawMessage): Decoded;
  /**
   * Of a decoder whose readings depend on earlier messages: what it remembers of them, bounded. May be restored at any
   * time; null: nothing has been decoded.
   */
  readonly memory?: Stateful;
}

/** What a decoder is made from. */
export interface DecoderOptions {
  /** Of the source, as the task calls it. */
  readonly name: string;
  readonly source: SourceSpec;
  /** What the pipeline reads of it. */
  readonly fields: readonly Field[];
  readonly entityOf: EntityReader;
}

/** One kind of decoder. */
export interface DecoderEntry {
  /** One sentence for people, shown in the docs. */
  readonly doc: string;
  /** Made when a source needs it: what is heavy is loaded then. */
  create(options: DecoderOptions): Promise<Decode>;
}

/** How an author writes a source of this kind, and what comes of messages: printed in the docs and tried in a test. */
export interface DecoderExample {
  /** YAML of the source. */
  readonly source: string;
  /** Fields that the pipeline reads. */
  readonly fields: readonly string[];
  readonly messages: readonly ExampleMessage[];
  readonly readings: readonly ExampleReading[];
}

/** `hex` where a message is no text. */
export type ExampleMessage = { readonly topic: string } & (
  | { readonly text: string }
  | { readonly hex: string }
);

/** Event time is left out where it is when the message came. */
export interface ExampleReading {
  readonly entity: string;
  readonly time?: string;
  readonly values: Readonly<Record<string, number | readonly number[] | null>>;
  readonly id?: string;
}

/** Readings of one message that are looked at; a gateway's hour of data fits well. */
export const READINGS_MAX = 10_000;

/** A message that gave nothing. */
export function fault(reason: DecodeFault, replies?: readonly Reply[]): Decoded {
  return { readings: [], faults: [reason], badValues: 0, ...(replies === undefined ? {} : { replies }) };
}
