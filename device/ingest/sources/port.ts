// Where messages come from, as an interface: brokers, pushes over HTTP, files, the machine itself. A source brings
// messages and closes; what happens to them is the sink's, the same for every kind of source.

import type { Clock } from "../../../shared/clock.js";
import type { Counters } from "../../../shared/counters.js";
import type { DeviceId, TaskId } from "../../../shared/id.js";
import type { Logger } from "../../../shared/log.js";
import type { Random } from "../../../shared/random.js";
import type { Reply } from "../decoders/port.js";
import type { SourceLog } from "../source-log.js";
import type { SourceBinding } from "./binding.js";

/** Longest message that is looked at: a second of vibration as JSON, with room to spare. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** One message as a source brought it. */
export interface SourceMessage {
  /** As the task calls it. */
  readonly source: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly arrivalMs: number;
  /** A broker had kept it from before: when it was published nobody knows. */
  readonly retained?: boolean;
  /**
   * Where the source can go on after this message: only of sources that can be read again (files). Bytes of their
   * unpacked content, over all files the source has had, so it only grows.
   */
  readonly position?: number;
}

/** Takes messages in order; resolves when the message is safe, so that the source may acknowledge it. Never rejects. */
export interface MessageSink {
  take(message: SourceMessage): Promise<void>;
}

/** Open until closed. */
export interface Source {
  /** Connected, listening or open: what is sent from now on comes. */
  readonly isConnected: boolean;
  /** Says what a protocol wants to be said, where that is possible; with restraint. */
  reply?(reply: Reply): void;
  /** Before `close` when a task is followed by another: ends at the peer what `next` has no use for. Never rejects. */
  release?(next: readonly BoundSource[]): Promise<void>;
  /** Nothing is handed to the sink afterwards. */
  close(): Promise<void>;
}

/** One of the task's sources and where its owner has it. */
export interface BoundSource<Binding extends SourceBinding = SourceBinding> {
  /** As the task calls it. */
  readonly name: string;
  readonly binding: Binding;
  /** Of MQTT: the owner's topic filter, or else the task's. */
  readonly filter: string;
  /** Of files: every line is handed on below the first, which names the columns. */
  readonly hasHeader: boolean;
}

/** What every source stands on. */
export interface SourceContext {
  readonly device: DeviceId;
  readonly task: TaskId;
  readonly sink: MessageSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly log: SourceLog;
  readonly counters: Counters;
  /** The device's data folder; undefined: nothing of sources is kept. */
  readonly folder: string | undefined;
  /** Where to go on in a source that can be read again: the last message's position; undefined: from its beginning. */
  readonly positionOf: (source: string) => number | undefined;
  /** This source has come to its end: nothing more will come of it. */
  readonly onEnd: (source: string) => void;
}

/** One kind of source. */
export interface SourceKind<Binding extends SourceBinding> {
  /** One sentence for people, shown in the docs. */
  readonly doc: string;
  /** `sources` of a device's config (or a task), shown in the docs. */
  readonly example: string;
  /** Sources with the same key share a connection, or a socket that listens. */
  keyOf(source: BoundSource<Binding>): string;
  /** Opens all that have one key. What cannot be reached yet is tried again until it is closed. */
  open(sources: readonly BoundSource<Binding>[], context: SourceContext): Promise<Source>;
}
