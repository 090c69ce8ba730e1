// From a message to readings, as an interface: one decoder per source of the task.

import type { DeviceId } from "../../../shared/id.js";
import type { Field } from "../../../shared/pipeline/operators/port.js";
import type { Reading } from "../../../shared/pipeline/types.js";
import type { SourceSpec } from "../../../shared/task/task.js";

/** A message of a sensor. */
export interface RawMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly arrivalMs: number;
}

/** Why a message, or a part of it, gave no reading. */
export type DecodeFault =
  | "not-json"
  | "not-a-number"
  | "no-object"
  | "no-time"
  | "bad-time"
  | "topic-too-short";

/** What came of a message: its readings, and what was wrong with parts of it. */
export interface Decoded {
  readonly readings: readonly Reading[];
  readonly faults: readonly DecodeFault[];
  /** Values that do not fit their field; each became a missing value. */
  readonly badValues: number;
}

/** Decodes one source's messages. Never throws. */
export type Decode = (message: RawMessage) => Decoded;

/** What a decoder is made from. */
export interface DecoderOptions {
  /** Of the source, as the task calls it. */
  readonly name: string;
  readonly source: SourceSpec;
  /** What the pipeline reads of it. */
  readonly fields: readonly Field[];
  /** The entity of a message; undefined when its topic is too short for the task's template. */
  readonly entityOf: (topic: string) => string | undefined;
  readonly device: DeviceId;
}
