// What happens to a message, whatever source it came from: bounded, decoded, counted, brought to the pipeline.

import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { isSane } from "./clock.js";
import type { Decode, RawMessage, Reply } from "./decoders/port.js";
import type { Pacer } from "./pacer.js";
import type { SourceLog } from "./source-log.js";
import { MESSAGE_BYTES_MAX, type MessageSink, type SourceMessage } from "./sources/port.js";

/** How messages of one source become readings. */
export interface Receiver {
  readonly decode: Decode;
  /** Of a source that is replayed: its readings wait until it is their time. */
  readonly pacer: Pacer | undefined;
}

export interface ReceptionOptions {
  /** By the task's name for the source. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** Resolves when the readings have gone through the pipeline. */
  readonly ingest: (readings: readonly Reading[]) => Promise<void>;
  /** A protocol wants this to be said where the source is. */
  readonly reply: (source: string, reply: Reply) => void;
  readonly log: SourceLog;
}

/** Brings messages to the pipeline. A message that cannot be taken is counted and done with, or it would come for ever. */
export class Reception implements MessageSink {
  readonly #options: ReceptionOptions;
  /** The last message of each source: one after the other, so that the pipeline has at most one call of each. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Resolves when what the message gave has gone through the pipeline. Never rejects. */
  async take(message: SourceMessage): Promise<void> {
    const { receivers, log } = this.#options;
    const receiver = receivers.get(message.source);
    if (receiver === undefined) return log.note(message.source, "unknown-source");
    const before = this.#last.get(message.source);
    const taken = before?.then(() => this.#take(receiver, message)) ?? this.#take(receiver, message);
    this.#last.set(message.source, taken);
    await taken;
  }

  async #take(receiver: Receiver, message: SourceMessage): Promise<void> {
    const readings = this.#decode(receiver, message);
    if (readings.length === 0) return;
    if (receiver.pacer === undefined) await this.#ingest(message.source, readings);
    else {
      for await (const due of receiver.pacer.pace(readings)) await this.#ingest(message.source, due);
    }
  }

  #decode({ decode }: Receiver, message: SourceMessage): readonly Reading[] {
    const { source, topic, payload } = message;
    const { log, reply: answer } = this.#options;
    if (payload.length > MESSAGE_BYTES_MAX) {
      log.note(source, "too-large", { topic, bytes: payload.length, limit: MESSAGE_BYTES_MAX });
      return [];
    }
    const {
      readings,
      faults,
      badValues,
      replies = [],
    } = decode({ topic, payload, arrivalMs: arrivalOf(message) });
    for (const fault of faults) log.note(source, fault, { topic });
    if (badValues > 0) log.note(source, "bad-value", { topic }, badValues);
    for (const reply of replies) answer(source, reply);
    return readings;
  }

  async #ingest(source: string, readings: readonly Reading[]): Promise<void> {
    const { ingest, log } = this.#options;
    try {
      await ingest(readings);
      log.taken(readings.length);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      log.note(source, `not-taken-${error.code}`, { error: messageOf(error) }, readings.length);
    }
  }
}

function arrivalOf({ retained = false, arrivalMs }: SourceMessage): RawMessage["arrivalMs"] {
  // When it was published nobody knows: it may be from last year.
  if (retained) return "retained";
  return isSane(arrivalMs) ? arrivalMs : "clock-unset";
}
