// What a network may do to a message. The memory transport asks; a simulation answers, from its seed.

import type { DeviceId } from "../id.js";

/** One message about to cross the network between a client and the broker. */
export interface Passage {
  readonly clientId: DeviceId;
  /** `acknowledge` is the broker's PUBACK for a message that went up. */
  readonly direction: "up" | "down" | "acknowledge";
  readonly topic: string;
  /** Topic and payload; 0 for an acknowledgement. */
  readonly bytes: number;
}

/** What happens to it. */
export interface Fate {
  readonly delayMs: number;
  /** 0 = lost, 2 = the receiver sees it twice; copy n arrives after n times the delay. */
  readonly copies: number;
  /** Set when it may arrive before messages sent earlier in its direction; otherwise it waits for them. */
  readonly overtakes?: boolean;
}

/** Asked once for every message, in the order in which they are sent. */
export interface FaultModel {
  fate(passage: Passage): Fate;
  /**
   * Until when (clock time) a client cannot be reached; a time not in the future means it can. Its connection
   * ends, will published, with the next message either way, and cannot be made again before then.
   */
  unreachableUntil?(clientId: DeviceId): number;
}

/** A good local network: 1 ms, nothing lost, doubled or overtaken. */
export const noFaults: FaultModel = { fate: () => ({ delayMs: 1, copies: 1 }) };
