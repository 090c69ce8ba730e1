// Where a device's owner has one of the task's sources: on a broker, at a port, in a file.

import type { MqttEndpoint } from "../../../shared/transport/mqtt-endpoint.js";

/** Where one source is found. */
export type SourceBinding = MqttBinding | HttpBinding | FileBinding | StdinBinding | HostBinding;

interface Bound {
  /** Instead of the task's topic filter, or of the topic that the kind of source would name. */
  readonly topic: string | undefined;
  readonly limits: SourceLimits;
}

/** How much of a source is taken at once. */
export interface SourceLimits {
  /** Messages per second in the long run, undefined: as they come. */
  readonly rate: number | undefined;
  /** Messages above the rate that may come at once. */
  readonly burst: number;
  /** Most messages, and bytes of them, that have come and are not safe yet. */
  readonly messages: number;
  readonly bytes: number;
}

/** On a broker. */
export interface MqttBinding extends Bound {
  readonly kind: "mqtt";
  readonly endpoint: MqttEndpoint;
  /** The broker keeps QoS 1 messages while the agent is away. */
  readonly isPersistent: boolean;
}

/** Pushed to us. */
export interface HttpBinding extends Bound {
  readonly kind: "http";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Bearer token that a sender must have; undefined: whoever reaches the port may send. */
  readonly token: string | undefined;
}

/** Lines of a file, or of several. */
export interface FileBinding extends Bound {
  readonly kind: "file";
  /** Its name may hold `*` and `?`. */
  readonly path: string;
  /** Goes on with what is appended, and with the file that takes its place. */
  readonly isFollowed: boolean;
  /** Times as fast as it happened; Infinity: as fast as it can be read; undefined: as it comes. */
  readonly speed: number | undefined;
}

/** Lines of the standard input. */
export interface StdinBinding extends Bound {
  readonly kind: "stdin";
  readonly speed: number | undefined;
}

/** The machine itself. */
export interface HostBinding extends Bound {
  readonly kind: "host";
  readonly everyMs: number;
}

/** What a source may hold when its owner says nothing. */
export const defaultSourceLimits: SourceLimits = {
  rate: undefined,
  burst: 100,
  messages: 1000,
  bytes: 4 * 1024 * 1024,
};
