// What message handlers work with.

import type { KeyObject } from "node:crypto";
import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { UpMessage } from "../../shared/wire/message.js";
import type { Scratch } from "../../shared/wire/scratch.js";
import type { UpKind } from "../../shared/wire/topic.js";
import type { ServerFact } from "../fact.js";
import type { FleetRegistry } from "../fleet/registry.js";
import type { Demand } from "../model/demand.js";
import type { ModelRegistry } from "../model/registry.js";
import type { VersionStore } from "../model/version-store.js";
import type { FleetView } from "../monitor/fleet-view.js";
import type { Coordinator } from "../round/coordinator.js";
import type { RoundTimeline } from "../round/timeline.js";
import type { Downlink } from "./downlink.js";
import type { DropLog } from "./drop-log.js";
import type { ReceiptStore } from "./receipts.js";
import type { Staging } from "./staging.js";
import type { UpdateRules } from "./verify.js";
import type { VerifyThread } from "./verify-thread.js";

/** Bounds on what devices may leave with the server. */
export interface IngestLimits {
  /** Most bytes of all announced uploads together. */
  readonly stagingBytes: number;
  /** Most receipts for one device's updates of one round; more updates are ignored. */
  readonly receiptsPerRound: number;
}

/** The server's parts, as handlers see them. */
export interface IngestContext {
  readonly task: TaskId;
  /** What updates on that version are measured against. */
  readonly rulesOf: (baseVersion: number) => UpdateRules;
  /** Of the task served: a device that runs another cannot take part. */
  readonly taskHash: string;
  readonly minExamples: number;
  /** How long a member may be silent. */
  readonly leaseMs: number;
  readonly limits: IngestLimits;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly drops: DropLog;
  readonly devices: { publicKey(device: DeviceId): KeyObject | undefined };
  readonly fleet: FleetRegistry;
  readonly fleetView: FleetView;
  readonly staging: Staging;
  /** Judges updates that lie in files. */
  readonly verifyThread: Pick<VerifyThread, "verify"> | undefined;
  /** For the update that is being judged here. */
  readonly scratch: Scratch;
  readonly receipts: ReceiptStore;
  readonly registry: ModelRegistry;
  readonly versions: VersionStore;
  readonly demand: Demand;
  readonly downlink: Downlink;
  readonly timeline: Pick<RoundTimeline, "pulled" | "uploading">;
  readonly coordinator: Pick<Coordinator, "post" | "state">;
  readonly observe: (fact: ServerFact) => void;
  /** Told of our own mistakes. */
  readonly fail: (error: unknown) => void;
}

/**
 * Handles one message of one device. When it rejects, the message is not acknowledged and the device sends it
 * again; what the peer did wrong is no reason to reject.
 */
export type Handler<Kind extends UpKind> = (
  context: IngestContext,
  device: DeviceId,
  message: UpMessage<Kind>,
) => Promise<void>;
