// What a deployment is given by its agent.

import type { Clock } from "../shared/clock.js";
import type { Counters } from "../shared/counters.js";
import type { DeviceId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { Random } from "../shared/random.js";
import type { Database } from "../shared/storage/port.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Labels, Manifest, Release } from "../shared/wire/message.js";
import type { DeviceReport } from "../shared/wire/report.js";
import type { Observe } from "./fact.js";
import type { PredictionKeep } from "./infer/keep.js";
import type { ModelCache } from "./model/cache.js";
import type { Downloader } from "./model/downloader.js";
import type { ProcessUsage } from "./monitor/usage.js";
import type { WatchRows } from "./row-watcher.js";
import type { Trainer } from "./train/trainer.js";

/** What a deployment stands on. */
export interface DeploymentOptions {
  readonly loaded: LoadedTask;
  readonly deviceId: DeviceId;
  readonly labels: Labels;
  readonly state: Database;
  readonly telemetry: Database;
  readonly cache: ModelCache;
  readonly downloader: Downloader;
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
  readonly clock: Clock;
  /** Root of the device's random streams. */
  readonly seed: string;
  readonly random: Random;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly observe: Observe;
  readonly isSigned: (manifest: Manifest) => boolean;
  readonly isSignedRelease: (release: Release) => boolean;
  readonly mayTrain: (() => string | undefined) | undefined;
  readonly watchRows?: WatchRows;
  /** The newest row of every entity is kept, for who asks. */
  readonly keepsOnlineRows?: boolean;
  readonly predictionKeep?: PredictionKeep;
  readonly usage?: (() => ProcessUsage) | undefined;
  /** Names this start of the machine, where that is known. */
  readonly boot?: string | undefined;
  /** Sends a report, if that can be done now. */
  readonly report: (report: DeviceReport) => void;
}
