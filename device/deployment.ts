// Everything a device runs for one task: pipeline, examples, the served model, the work of rounds. Adopting
// another task means another deployment; what may be kept between the two is on disk.

import { assert } from "../shared/assert.js";
import { buildTaskModel } from "../shared/model/arms-model.js";
import { hasProbability } from "../shared/model/output.js";
import type { Model, ModelRuntime } from "../shared/model/runtime.js";
import { predictionId } from "../shared/pipeline/labels/prediction-id.js";
import { createPipeline, type Pipeline } from "../shared/pipeline/pipeline.js";
import type { Example, FeatureRow, Reading, Split } from "../shared/pipeline/types.js";
import { randomStream } from "../shared/random.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Task } from "../shared/task/task.js";
import type { Release, RoundKind } from "../shared/wire/message.js";
import { WriteBatch } from "./batched-writes.js";
import type { Mark } from "./checkpoint/mark.js";
import { Progress, type Replayable } from "./checkpoint/progress.js";
import type { DeploymentOptions } from "./deployment-options.js";
import { ExampleReader } from "./examples/batch.js";
import { reservoirSize } from "./examples/reservoir.js";
import { ExampleStore, storeLimits } from "./examples/store.js";
import type { DeviceFact, Prediction } from "./fact.js";
import { AnomalyThreshold } from "./infer/anomaly-threshold.js";
import { OnlineRows } from "./infer/online-rows.js";
import { PredictionLog } from "./infer/predictions.js";
import { Predictor } from "./infer/predictor.js";
import type { ServingDeployment } from "./infer/serving.js";
import { meaningOf, specOf } from "./meaning.js";
import { placeOf } from "./model/arms.js";
import { Monitoring, type MonitorSnapshot } from "./monitor/monitoring.js";
import { QuarantineStore } from "./quarantine.js";
import { Releases } from "./release/releases.js";
import { RoundWork } from "./round/work.js";
import type { RowWatcher } from "./row-watcher.js";
import { refusalOf } from "./train/eligibility.js";

/** The readings of one message. */
export interface Arrival {
  readonly readings: readonly Reading[];
  /** Of the message. */
  readonly bytes: number;
  /** The clock that event times are judged by, when the message arrived. */
  readonly eventNowMs: number | undefined;
  /** The place of the message in all that came. */
  readonly mark: Mark;
}

/** Builds the model of a task. Rejects with HeadwaterError `model-unsupported` when this device cannot run it. */
export function buildModel({ task }: LoadedTask, runtime: ModelRuntime): Promise<Model> {
  return buildTaskModel(task, runtime);
}

/** One adopted task, running. */
export class Deployment {
  readonly loaded: LoadedTask;
  readonly reader: ExampleReader;
  readonly work: RoundWork;
  readonly releases: Releases;
  readonly predictions: PredictionLog;
  /** For who answers requests with the served model. */
  readonly shown: ServingDeployment;
  readonly #batch: WriteBatch;
  readonly #store: ExampleStore;
  readonly #quarantine: QuarantineStore;
  readonly #options: DeploymentOptions;
  #pipeline: Pipeline;
  readonly #predictor: Predictor;
  readonly #watcher: RowWatcher | undefined;
  readonly #online: OnlineRows | undefined;
  readonly #monitoring: Monitoring | undefined;
  #newRows: FeatureRow[] = [];
  #newExamples: Example[] = [];
  /** There once its host has asked for state that survives. */
  #progress: Progress | undefined;
  /** What comes out of the pipeline is on disk already. */
  #isWritten = false;

  /** `model` is what `buildModel` gave for this task. */
  constructor(options: DeploymentOptions, model: Model) {
    const { loaded, deviceId, telemetry, clock, counters } = options;
    const { task, pipelineHash } = loaded;
    const { definition } = model;
    const place = placeOf(model, loaded);
    this.loaded = loaded;
    this.#options = options;
    const limits = storeLimits(task.rows, definition.inputs);
    this.#batch = new WriteBatch(telemetry, clock);
    this.#store = new ExampleStore({
      database: telemetry,
      batch: this.#batch,
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
    this.predictions = new PredictionLog({
      ...{ database: telemetry, batch: this.#batch, clock, counters },
      ...(options.predictionKeep === undefined ? {} : { keep: options.predictionKeep }),
    });
    const samples = (limit: number) => this.#store.newestFeatures(limit);
    const observe = (fact: DeviceFact) => this.#observed(fact);
    this.releases = new Releases({
      ...options,
      place,
      model,
      samples,
      observe,
      onChange: () => this.#changed(),
    });
    const { slot } = this.releases;
    this.#quarantine = new QuarantineStore({ database: telemetry, batch: this.#batch, counters });
    this.#pipeline = this.#createPipeline();
    this.#monitoring = this.#createMonitoring(model);
    const monitoring = this.#monitoring;
    const sink = (prediction: Prediction) => {
      this.predictions.add(prediction);
      this.#watcher?.prediction(prediction);
      observe({ type: "prediction", ...prediction });
    };
    const threshold = this.#thresholdOf(task, model);
    this.#predictor = new Predictor({
      ...{ slot, model, pipelineHash, threshold, counters, sink, clock },
      watch: monitoring && ((...answers) => monitoring.hear(...answers)),
    });
    this.#watcher = options.watchRows?.({
      columns: this.#pipeline.columns,
      hasProbability: hasProbability(definition.output),
      hasAnomaly: threshold !== undefined,
    });
    this.#online = options.keepsOnlineRows === true ? new OnlineRows(definition.inputs) : undefined;
    this.shown = {
      ...{ task: task.task, columns: this.#pipeline.columns, model, threshold },
      serving: () => this.releases.slot.serving,
      online: (entity) => {
        const row = this.#online?.of(entity);
        return row && { ...row, id: predictionId(pipelineHash, entity, row.timeMs) };
      },
    };
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

  #createMonitoring({ definition }: Model): Monitoring | undefined {
    const { monitor } = this.loaded.task;
    if (monitor === undefined) return undefined;
    return new Monitoring({
      ...this.#options,
      ...{ spec: monitor, definition, columns: this.#pipeline.columns, releases: this.releases },
      examples: (limit, sinceMs) => this.#store.newestTrain(limit, sinceMs),
      stock: () => {
        const { train, validation } = this.#store.counts();
        return { examples: train + validation, unlabelled: this.unlabelled() };
      },
      send: this.#options.report,
    });
  }

  /** What answers rows has changed. */
  #changed(): void {
    this.#monitoring?.follow();
    if (this.#progress === undefined) return;
    // So that no later replay has rows of before answered by what came after.
    this.#progress.wantCheckpoint();
    this.flush();
  }

  #observed(fact: DeviceFact): void {
    this.#options.observe(fact);
    if (fact.type === "model-rejected" || fact.type === "version-failed") this.reportSoon();
  }

  /** What the monitor knows, undefined without one. */
  monitor(): MonitorSnapshot | undefined {
    return this.#monitoring?.snapshot();
  }

  /** The server should hear how this device is. */
  reportSoon(): void {
    this.#monitoring?.reportSoon();
  }

  /** Serves what the last process served, if it fits this task. */
  restore(): void {
    this.releases.restore();
  }

  /** Takes readings that came together: examples are stored, and every new row of features is predicted. */
  ingest(readings: readonly Reading[], eventNowMs: number | undefined): void {
    this.#batch.together(() => {
      for (const reading of readings) this.#pipeline.push(reading, eventNowMs);
      this.#predictNew();
    });
  }

  /**
   * Takes up the state that was saved for this task, and from here on saves it now and then. Returns the place after
   * which messages are to be brought again, in order: to `receive`.
   */
  resume(replayable: Replayable): Mark {
    const { telemetry, clock, counters, logger, loaded } = this.#options;
    const progress = new Progress({
      ...{ ...replayable, clock, counters, logger },
      database: telemetry,
      spec: specOf(loaded),
      pipeline: () => this.#pipeline,
      monitor: this.#monitoring,
    });
    // Whatever the clock has done to it so far.
    this.#pipeline = this.#createPipeline();
    this.#monitoring?.restore(null);
    const mark = progress.restore(({ pipeline, monitor }) => {
      const restored = this.#createPipeline();
      restored.restore(pipeline);
      this.#pipeline = restored;
      this.#monitoring?.restore(monitor);
    });
    this.#progress = progress;
    this.#batch.stampWith(progress);
    return mark;
  }

  /** As `ingest`, of one message, after `resume`: what came of it before a restart is not stored or predicted twice. */
  receive({ readings, bytes, eventNowMs, mark }: Arrival): void {
    const progress = this.#progress;
    assert(progress !== undefined, "messages are received after resuming");
    this.#batch.together(() => {
      const isWritten = progress.isWritten(mark);
      if (!isWritten) this.#catchUp(progress);
      this.#isWritten = isWritten;
      for (const reading of readings) this.#pipeline.push(reading, eventNowMs);
      this.#predictNew(isWritten ? "written" : progress.isHistory(mark) ? "history" : "new");
      this.#isWritten = false;
      progress.reached(mark, bytes, eventNowMs !== undefined);
    });
    if (progress.isDue) this.#batch.flush();
  }

  /** Event time has passed, perhaps without readings. */
  advance(eventNowMs: number): void {
    this.#batch.together(() => {
      if (this.#progress === undefined) this.#advance(eventNowMs);
      else if (this.#progress.hasClock) {
        this.#catchUp(this.#progress);
        this.#advance(eventNowMs);
        this.#progress.advanced(eventNowMs);
      }
      const { watermarkMs } = this.#pipeline;
      // Before the first reading there is no watermark, and the clock alone tells of silence.
      this.#watcher?.passed(Number.isFinite(watermarkMs) ? watermarkMs : eventNowMs);
    });
  }

  /** No more readings will come: everything closes. */
  endOfData(): void {
    this.#batch.together(() => {
      if (this.#progress !== undefined) this.#catchUp(this.#progress);
      this.#pipeline.flush();
      this.#predictNew();
      // Nothing in the messages says that they have ended: state and rows go to disk together.
      this.#progress?.wantCheckpoint();
    });
    this.flush();
  }

  /** The server's word on what to serve, its signatures verified. */
  follow(release: Release): void {
    this.releases.follow(release);
  }

  /** Stored examples. */
  counts(): Readonly<Record<Split, number>> {
    return this.#store.counts();
  }

  /** Rows that wait for their label. */
  unlabelled(): number {
    return this.#pipeline.unlabelled.rows;
  }

  /** When the pipeline's state was last saved; undefined before. */
  checkpointMs(): number | undefined {
    return this.#progress?.checkpointMs;
  }

  /** Why this device will not work on a round of `kind` now, or undefined when it will. */
  refusal(kind: RoundKind): string | undefined {
    const { minExamples } = this.loaded.task.rounds;
    const { mayTrain } = this.#options;
    return refusalOf(kind, { counts: this.#store.counts(), minExamples, mayTrain });
  }

  /** Brings everything to disk. */
  flush(): void {
    this.#batch.flush();
  }

  /** Another task takes over, or the device stops. */
  close(): void {
    this.releases.close();
    this.#monitoring?.stop();
    this.#progress?.wantCheckpoint();
    this.flush();
  }

  /** The process is gone: what is not on disk is lost. */
  abandon(): void {
    this.releases.abandon();
    this.#monitoring?.stop();
  }

  #createPipeline(): Pipeline {
    return createPipeline(this.loaded.task, {
      counters: this.#options.counters,
      sink: {
        features: (row) => {
          this.#newRows.push(row);
          this.#monitoring?.row();
        },
        example: (example) => {
          if (!this.#isWritten) this.#store.add(example);
          if (this.#monitoring !== undefined) this.#newExamples.push(example);
        },
        quarantine: (item) => {
          if (!this.#isWritten) this.#quarantine.add(item);
          this.#monitoring?.refused();
        },
      },
    });
  }

  #advance(eventNowMs: number): void {
    this.#pipeline.advance(eventNowMs);
    this.#predictNew();
  }

  /** Before the first message after those on disk: what the clock alone had brought out is on disk as well. */
  #catchUp(progress: Progress): void {
    const owedMs = progress.takeOwedClockMs();
    if (owedMs === undefined) return;
    this.#isWritten = true;
    this.#pipeline.advance(owedMs);
    this.#predictNew("written");
    this.#isWritten = false;
  }

  /**
   * `written`: an earlier process has given these predictions out, and only the monitor has yet to see them, if it goes on
   * where that one's was. `history`: nobody waits for predictions.
   */
  #predictNew(origin: "new" | "written" | "history" = "new"): void {
    const [rows, examples] = [this.#newRows, this.#newExamples];
    this.#newRows = [];
    this.#newExamples = [];
    if (this.#online !== undefined) for (const row of rows) this.#online.add(row);
    const isKnown = origin !== "new";
    if (origin === "history" || (isKnown && this.#monitoring?.isContinued !== true)) return;
    if (this.#watcher !== undefined && !isKnown) for (const row of rows) this.#watcher.features(row);
    this.#predictor.predict(rows, isKnown);
    this.#monitoring?.label(examples);
    if (!isKnown) this.#monitoring?.settle();
  }
}
