// What one broker allows that another does not, and what becomes of what its clients publish.

import type { ConnectPacket } from "aedes";
import type { Connection } from "./connection.js";

/** What a client published. */
export interface Incoming {
  readonly topic: string;
  /** A view of what was received, its handler's until it is done. */
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly isRetained: boolean;
}

/** Why a client may not do what it tried; its connection ends. */
export interface Refusal {
  /** A short word: the name of a counter. */
  readonly reason: string;
  readonly detail: string;
}

/** A CONNECT that is refused, with the return code the client gets (MQTT 3.1.1, table 3.1). */
export interface ConnectRefusal extends Refusal {
  readonly returnCode: 1 | 2 | 3 | 4 | 5;
}

/** A broker's rules. */
export interface BrokerPolicy {
  /** Asked first; may change what the client asked for. */
  refuseConnect(packet: ConnectPacket): ConnectRefusal | undefined;
  refuseSubscribe(clientId: string, filter: string): Refusal | undefined;
  /** Asked for wills too, when they are published. */
  refusePublish(clientId: string, message: Incoming): Refusal | undefined;
  /** The message is acknowledged when this resolves. When it rejects, its sender is cut off without that. */
  handle(connection: Connection, message: Incoming): Promise<void>;
}
