// What an agent is to whoever runs it, and what it is given.

import type { KeyObject } from "node:crypto";
import type { Clock } from "../shared/clock.js";
import type { Counters } from "../shared/counters.js";
import type { DeviceId, TaskId, UpdateId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { FittedScaler, Reading, Split } from "../shared/pipeline/types.js";
import type { Database } from "../shared/storage/port.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Link } from "../shared/transport/port.js";
import type { Labels, Manifest } from "../shared/wire/message.js";
import type { KeyPair } from "../shared/wire/signature.js";
import type { Mark } from "./checkpoint/mark.js";
import type { Replayable } from "./checkpoint/progress.js";
import type { Arrival } from "./deployment.js";
import type { RawExamples } from "./examples/batch.js";
import type { DeviceFact } from "./fact.js";
import type { PredictionKeep } from "./infer/keep.js";
import type { PredictionPage, PredictionQuery } from "./infer/predictions.js";
import type { ServingDeployment } from "./infer/serving.js";
import type { MonitorSnapshot } from "./monitor/monitoring.js";
import type { ProcessUsage } from "./monitor/usage.js";
import type { WatchRows } from "./row-watcher.js";
import type { ExampleBatch, Trainer } from "./train/trainer.js";

/** What an agent is given. Databases, runtime, trainer and clock stay the caller's, to be closed after `stop`. */
export interface AgentOptions {
  readonly deviceId: DeviceId;
  readonly task: TaskId;
  readonly keys: KeyPair;
  /** The server's public key, pinned. */
  readonly serverKey: KeyObject;
  readonly link: Link;
  /** Opened with `stateMigrations`, durability "full". */
  readonly state: Database;
  /** Opened with `telemetryMigrations`, durability "normal". */
  readonly telemetry: Database;
  readonly clock: Clock;
  /** Root of the agent's random streams. */
  readonly seed: string;
  /** For predictions; apart from the trainer's. */
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
  readonly logger: Logger;
  /** The clock that event times are judged by, the machine's if absent; undefined: only data moves event time. */
  readonly eventNow?: () => number | undefined;
  /** The owner's word on training now: undefined, or why not. */
  readonly mayTrain?: () => string | undefined;
  /** What the device is, in its owner's words. */
  readonly labels?: Labels;
  /** What the process takes of its machine, for reports. Default: nothing is known. */
  readonly usage?: () => ProcessUsage;
  /** Names this start of the machine: a version is not blamed for a power cut. Default: nothing is known. */
  readonly boot?: string | undefined;
  readonly observe?: (fact: DeviceFact) => void;
  /** Who looks at every row and prediction of a task. */
  readonly watchRows?: WatchRows;
  /** The newest row of every entity is kept, for who asks for its prediction. */
  readonly keepsOnlineRows?: boolean;
  /** What stays on disk of predictions; `defaultPredictionKeep` if absent. */
  readonly predictionKeep?: PredictionKeep;
}

/** What an agent is doing. */
export interface AgentStatus {
  readonly deviceId: DeviceId;
  readonly taskHash: string | undefined;
  readonly isConnected: boolean;
  /** Version that makes the predictions. */
  readonly serving: number | undefined;
  /** The same version, by its content. */
  readonly model: Pick<Manifest, "version" | "sha256"> | undefined;
  /** Round that is being worked on. */
  readonly round: number | undefined;
  /** Updates waiting for a receipt. */
  readonly pending: readonly UpdateId[];
  readonly examples: Readonly<Record<Split, number>> | undefined;
  /** Rows that wait for their label. */
  readonly unlabelled: number | undefined;
  /** When the pipeline's state was last saved since the start. */
  readonly checkpointMs: number | undefined;
}

/** A device at the edge. */
export interface Agent {
  /** Restores task, model and outbox, then connects. Predicts from here on, with or without a network. */
  start(): Promise<void>;
  /** Brings everything to disk and disconnects. */
  stop(): Promise<void>;
  /** As if the process had been killed: nothing of it happens any more, and rows not yet on disk are lost. */
  abandon(): void;
  /** Resolves when the readings have gone through the pipeline; never waits for training. */
  ingest(readings: readonly Reading[]): Promise<void>;
  /**
   * For a host whose messages can be brought again: takes up the state saved for the task it runs, and from here on saves
   * it. The host brings every message after the answered mark, in order, then says `caughtUp`; so with every new task.
   */
  resume(replayable: Replayable): Mark;
  /** As `ingest`, of one message, at once. Only after `resume`. */
  receive(arrival: Arrival): void;
  /** What comes from here on is new: time passes again without messages. */
  caughtUp(): void;
  /** No more readings will come: everything in the pipeline closes. */
  endOfData(): Promise<void>;
  readonly counters: Counters;
  /** The task it runs, undefined before one is adopted. */
  task(): LoadedTask | undefined;
  /** The device's own examples, unscaled. Rejects with `data-missing` before a task is adopted. */
  examples(split: Split): Promise<RawExamples>;
  /**
   * The device's own examples as a model with this scaler sees them, valid until the next round or call. Rejects as
   * `examples`.
   */
  scaled(split: Split, scaler: FittedScaler): Promise<ExampleBatch>;
  /** Predictions by entity and time; none before a task is adopted. */
  predictions(query: PredictionQuery): PredictionPage;
  /** What is known of the served version's error, of drift, and of the data; undefined where the task monitors nothing. */
  monitor(): MonitorSnapshot | undefined;
  /** For who answers requests with the served model; undefined before a task is adopted. */
  deployed(): ServingDeployment | undefined;
  status(): AgentStatus;
}
