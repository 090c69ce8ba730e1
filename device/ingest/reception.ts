// What happens to a message, whatever source it came from: bounded, decoded, counted, brought to the pipeline.

import type { Reading } from "../../shared/pipeline/types.js";
import type { Arrival } from "../deployment.js";
import type { Place } from "../log/recorder.js";
import { isSane } from "./clock.js";
import type { Decode, RawMessage, Reply } from "./decoders/port.js";
import type { SourceLog } from "./source-log.js";
import { MESSAGE_BYTES_MAX, type SourceMessage } from "./sources/port.js";

export interface ReceptionOptions {
  /** By the task's name for the source. */
  readonly decoders: ReadonlyMap<string, Decode>;
  /** The clock that event times are judged by, when a message with these readings arrived. */
  readonly eventNow: (readings: readonly Reading[], arrivalMs: number) => number | undefined;
  /** Brings the readings to the pipeline. */
  readonly receive: (arrival: Arrival) => void;
  /** A protocol wants this to be said where the source is. */
  readonly reply: (source: string, reply: Reply) => void;
  readonly log: SourceLog;
}

/** Brings messages to the pipeline. One that cannot be read is counted and done with, or it would come for ever. */
export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** At once. What was received before, by a process that has ended, is neither counted nor answered again. */
  receive(message: SourceMessage, { mark, isNew }: Place): void {
    const { eventNow, receive, log } = this.#options;
    const readings = this.#decode(message, isNew);
    const eventNowMs = eventNow(readings, message.arrivalMs);
    receive({ readings, bytes: message.payload.length, eventNowMs, mark });
    if (isNew && readings.length > 0) log.taken(readings.length);
  }

  #decode(message: SourceMessage, isNew: boolean): readonly Reading[] {
    const { source, topic, payload } = message;
    const { decoders, log, reply: answer } = this.#options;
    const note = (reason: string, fields: object, count = 1) => {
      if (isNew) log.note(source, reason, { topic, ...fields }, count);
    };
    const decode = decoders.get(source);
    if (decode === undefined) {
      note("unknown-source", {});
      return [];
    }
    if (payload.length > MESSAGE_BYTES_MAX) {
      note("too-large", { bytes: payload.length, limit: MESSAGE_BYTES_MAX });
      return [];
    }
    const decoded = decode({ topic, payload, arrivalMs: arrivalOf(message) });
    for (const fault of decoded.faults) note(fault, {});
    if (decoded.badValues > 0) note("bad-value", {}, decoded.badValues);
    if (isNew) for (const reply of decoded.replies ?? []) answer(source, reply);
    return decoded.readings;
  }
}

function arrivalOf({ retained = false, arrivalMs }: SourceMessage): RawMessage["arrivalMs"] {
  // When it was published nobody knows: it may be from last year.
  if (retained) return "retained";
  return isSane(arrivalMs) ? arrivalMs : "clock-unset";
}
