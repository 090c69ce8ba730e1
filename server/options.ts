// What a server is given.

import type { KeyObject } from "node:crypto";
import type { Clock } from "../shared/clock.js";
import type { DeviceId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { Database } from "../shared/storage/port.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Uplink } from "../shared/transport/port.js";
import type { KeyPair } from "../shared/wire/signature.js";
import type { ServerFact } from "./fact.js";
import type { VerifyThread } from "./ingest/verify-thread.js";

/** What a server stands on. All of it stays the caller's, who closes the database after `stop`. */
export interface ServerOptions {
  readonly task: LoadedTask;
  /** Opened with `serverMigrations` and durability `full`; nobody else writes to it. */
  readonly database: Database;
  /**
   * A folder for the bytes of uploads, several times faster than the database for large updates; nobody else
   * writes to it. Without it they are in the database. Changing this abandons uploads under way.
   */
  readonly stagingFolder?: string;
  /** Judges updates in the staging folder off the event loop; without it they are judged on it. */
  readonly verifyThread?: Pick<VerifyThread, "verify">;
  readonly uplink: Uplink;
  readonly clock: Clock;
  /** Root of all chance: initial params, selection, the seeds of offers. */
  readonly seed: string;
  readonly keys: KeyPair;
  /** Who may take part. */
  readonly devices: { publicKey(device: DeviceId): KeyObject | undefined };
  readonly runtime: ModelRuntime;
  readonly logger: Logger;
  readonly observe?: (fact: ServerFact) => void;
  readonly limits?: Partial<ServerLimits>;
}

/** Bounds of ours. */
export interface ServerLimits {
  /** Most data in one chunk or block. 32 KiB: a whole packet fits what any common broker lets through. */
  readonly chunkBytes: number;
  /** Devices remembered. */
  readonly devices: number;
  /** Most bytes of all uploads under way together. */
  readonly stagingBytes: number;
  /** Most updates of one device in one round that get a word. An outbox holds eight. */
  readonly receiptsPerRound: number;
}

/** For a fleet on a broker nobody knows anything about. */
export const defaultLimits: ServerLimits = {
  chunkBytes: 32 * 1024,
  devices: 10_000,
  stagingBytes: 8 * 1024 ** 3,
  receiptsPerRound: 16,
};
