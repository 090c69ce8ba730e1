// The seam between the device's listener and what is asked through it: one part per subject, a file each.

import type { FastifyInstance } from "fastify";
import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Agent } from "../agent.js";
import type { DeviceMeter } from "../metrics/meter.js";

/** What the parts may look at. */
export interface HttpSources {
  readonly device: DeviceId;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly meter: DeviceMeter;
  readonly isTelemetryConnected: () => boolean;
  /** Of Headwater. */
  readonly version: string;
  readonly startedMs: number;
}

/**
 * Adds the routes of one subject to the application, in a scope of its own: parsers and hooks set there are for these
 * routes alone. Token, limits and the form of errors are the listener's; a handler answers a peer's fault with
 * `refuse` and throws only what is ours.
 */
export type HttpPart = (app: FastifyInstance, sources: HttpSources) => Promise<void> | void;
