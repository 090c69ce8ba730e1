// What the broker lets a client do to it. Every bound has a reason; tests tighten them.

/** Bounds of a broker. */
export interface BrokerLimits {
  /** Most sockets at once, those that have not authenticated included. */
  readonly connections: number;
  /** Longest time from a socket's first sign of life to its credentials having been accepted. */
  readonly connectTimeoutMs: number;
  /** Most bytes of a CONNECT: ids, a secret and a will of a few bytes need a tenth of it. */
  readonly connectBytes: number;
  /** Most bytes of any later packet, header included. */
  readonly packetBytes: number;
  /** Most bytes waiting to be sent to one client; a client that is further behind has stopped reading. */
  readonly unsentBytes: number;
  /** Longest time that waiting bytes may take to go out. */
  readonly drainTimeoutMs: number;
  /** Longest keepalive a client may ask for; it must ask for one. */
  readonly keepaliveMaxS: number;
  /** Most bytes received from one client and not handled yet; beyond, its socket is not read. */
  readonly unhandledBytes: number;
  /** Longest time `close` waits for handlers that are running. */
  readonly closeTimeoutMs: number;
}

/** For a fleet on one machine. */
export const defaultBrokerLimits: BrokerLimits = {
  connections: 12_000,
  connectTimeoutMs: 10_000,
  connectBytes: 4 * 1024,
  // The longest payload is 160 KiB (shared/wire/message.ts), its topic at most 150 bytes.
  packetBytes: 192 * 1024,
  unsentBytes: 4 * 1024 * 1024,
  drainTimeoutMs: 60_000,
  keepaliveMaxS: 600,
  unhandledBytes: 512 * 1024,
  closeTimeoutMs: 5_000,
};
