// Everything a device runs for one task: pipeline, examples, the served model, the work of rounds. Adopting
// another task means another deployment; what may be kept between the two is on disk.

import type { Clock } from "../shared/clock.js";
import type { Counters } from "../shared/counters.js";
import type { DeviceId } from "../shared/id.js";
import { defineModel } from "../shared/model/define.js";
import { hasProbability } from "../shared/model/output.js";
import type { Model, ModelRuntime } from "../shared/model/runtime.js";
import { createPipeline, type Pipeline } from "../shared/pipeline/pipeline.js";
import { planPipeline } from "../shared/pipeline/plan.js";
import type { FeatureRow, Reading, Split } from "../shared/pipeline/types.js";
import { type Random, randomStream } from "../shared/random.js";
import type { Database } from "../shared/storage/port.js";
import { canonicalJson, sha256Hex } from "../shared/task/canonical.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Task } from "../shared/task/task.js";
import type { Manifest, RoundKind } from "../shared/wire/message.js";
import { ExampleReader } from "./examples/batch.js";
import { reservoirSize } from "./examples/reservoir.js";
import { ExampleStore, storeLimits } from "./examples/store.js";
import type { Observe, Prediction } from "./fact.js";
import { AnomalyThreshold } from "./infer/anomaly-threshold.js";
import { PredictionLog } from "./infer/predictions.js";
import { Predictor } from "./infer/predictor.js";
import { ModelSlot } from "./infer/slot.js";
import { StableFollower } from "./infer/stable.js";
import type { ModelCache } from "./model/cache.js";
import type { Downloader } from "./model/downloader.js";
import { RoundWork } from "./round/work.js";
import type { RowWatcher, WatchRows } from "./row-watcher.js";
import { refusalOf } from "./train/eligibility.js";
import type { Trainer } from "./train/trainer.js";

/** What a deployment stands on. */
export interface DeploymentOptions {
  readonly loaded: LoadedTask;
  readonly deviceId: DeviceId;
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
  readonly observe: Observe;
  readonly isSigned: (manifest: Manifest) => boolean;
  readonly mayTrain: (() => string | undefined) | undefined;
  readonly watchRows?: WatchRows;
}

/** Builds the model of a task. Rejects with HeadwaterError `model-unsupported` when this device cannot run it. */
export function buildModel(loaded: LoadedTask, runtime: ModelRuntime): Promise<Model> {
  const { task } = loaded;
  return runtime.model(defineModel(task.model, planPipeline(task).columns.length));
}

/** One adopted task, running. */
export class Deployment {
  readonly loaded: LoadedTask;
  readonly reader: ExampleReader;
  readonly work: RoundWork;
  readonly slot: ModelSlot;
  readonly predictions: PredictionLog;
  readonly #store: ExampleStore;
  readonly #pipeline: Pipeline;
  readonly #predictor: Predictor;
  readonly #follower: StableFollower;
  readonly #watcher: RowWatcher | undefined;
  readonly #mayTrain: (() => string | undefined) | undefined;
  #newRows: FeatureRow[] = [];

  /** `model` is what `buildModel` gave for this task. */
  constructor(options: DeploymentOptions, model: Model) {
    const { loaded, deviceId, telemetry, clock, counters, observe } = options;
    const { task, pipelineHash } = loaded;
    const { definition, spec } = model;
    const place = { definition, spec, pipelineHash };
    this.loaded = loaded;
    this.#mayTrain = options.mayTrain;
    const limits = storeLimits(task.rows, definition.inputs);
    this.#store = new ExampleStore({
      database: telemetry,
      clock,
      counters,
      limits,
      reservoir: {
        ...reservoirSize(task.rows, definition.output),
        draw: (stratum, n) => randomStream(options.seed, "reservoir", deviceId, stratum, n).uniform(),
      },
      meaning: meaningOf(loaded),
    });
    this.reader = new ExampleReader(this.#store, definition, clock);
    this.work = new RoundWork({ ...options, task, device: deviceId, place, reader: this.reader });
    this.predictions = new PredictionLog(telemetry, clock, counters);
    const samples = (limit: number) => this.#store.newestFeatures(limit);
    this.slot = new ModelSlot({ ...options, place, model, samples });
    this.#follower = new StableFollower({ ...options, slot: this.slot });
    const sink = (prediction: Prediction) => {
      this.predictions.add(prediction);
      this.#watcher?.prediction(prediction);
      observe({ type: "prediction", ...prediction });
    };
    const threshold = this.#thresholdOf(task, model);
    this.#predictor = new Predictor({ slot: this.slot, model, pipelineHash, threshold, counters, sink });
    this.#pipeline = createPipeline(task, {
      counters,
      sink: {
        features: (row) => this.#newRows.push(row),
        example: (example) => this.#store.add(example),
      },
    });
    this.#watcher = options.watchRows?.({
      columns: this.#pipeline.columns,
      hasProbability: hasProbability(definition.output),
    });
  }

  #thresholdOf({ label }: Task, model: Model): AnomalyThreshold | undefined {
    if (label.kind !== "none" || label.threshold === undefined) return undefined;
    return new AnomalyThreshold({
      quantile: label.threshold,
      model,
      heldOutCount: () => this.#store.stored().validation,
      heldOut: (limit) => this.#store.newestOf("validation", limit),
    });
  }

  /** Serves the last good model, if it fits this task. */
  restore(): void {
    this.slot.restore();
  }

  /** Takes readings that came together: examples are stored, and every new row of features is predicted. */
  ingest(readings: readonly Reading[], eventNowMs: number | undefined): void {
    for (const reading of readings) this.#pipeline.push(reading, eventNowMs);
    this.#predictNew();
  }

  /** Event time has passed, perhaps without readings. */
  advance(eventNowMs: number): void {
    this.#pipeline.advance(eventNowMs);
    this.#predictNew();
    const { watermarkMs } = this.#pipeline;
    // Before the first reading there is no watermark, and the clock alone tells of silence.
    this.#watcher?.passed(Number.isFinite(watermarkMs) ? watermarkMs : eventNowMs);
  }

  /** No more readings will come: everything closes. */
  endOfData(): void {
    this.#pipeline.flush();
    this.#predictNew();
    this.flush();
  }

  /** The server's word on what to serve, its signature verified. */
  follow(manifest: Manifest): void {
    this.#follower.follow(manifest);
  }

  /** Stored examples. */
  counts(): Readonly<Record<Split, number>> {
    return this.#store.counts();
  }

  /** Rows that wait for their label. */
  unlabelled(): number {
    return this.#pipeline.unlabelled.rows;
  }

  /** Why this device will not work on a round of `kind` now, or undefined when it will. */
  refusal(kind: RoundKind): string | undefined {
    const { minExamples } = this.loaded.task.rounds;
    return refusalOf(kind, { counts: this.#store.counts(), minExamples, mayTrain: this.#mayTrain });
  }

  /** Brings everything to disk. */
  flush(): void {
    this.#store.flush();
    this.predictions.flush();
  }

  /** Another task takes over, or the device stops. */
  close(): void {
    this.#follower.stop();
    this.flush();
  }

  /** The process is gone: what is not on disk is lost. */
  abandon(): void {
    this.#follower.stop();
  }

  #predictNew(): void {
    const rows = this.#newRows;
    this.#newRows = [];
    if (this.#watcher !== undefined) for (const row of rows) this.#watcher.features(row);
    this.#predictor.predict(rows);
  }
}

/** What stored examples mean: their columns, their label, and which side they are on. */
function meaningOf({ pipelineHash, task }: LoadedTask): string {
  return sha256Hex(canonicalJson({ pipelineHash, split: task.rows.split }));
}
