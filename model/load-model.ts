// A model as a library: the exported pipeline and params, run in the caller's own process, with the code that devices run.

import { type Artefact, describeModel } from "../shared/artefact/artefact.js";
import { readFiles } from "../shared/artefact/disk.js";
import { readArtefact } from "../shared/artefact/files.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import { type Answer, isFiniteAnswer } from "../shared/model/answer.js";
import { askRows, readAnswers } from "../shared/model/ask.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import { defaultEngine } from "../shared/model/engine.js";
import type { EngineChoice, Model, ModelRuntime } from "../shared/model/runtime.js";
import { predictionId } from "../shared/pipeline/labels/prediction-id.js";
import { createPipeline, type Pipeline } from "../shared/pipeline/pipeline.js";
import type { FeatureRow, Reading } from "../shared/pipeline/types.js";
import { rawPublicKey } from "../shared/wire/signature.js";

/** What a row of features says: its value, and for classes a probability. */
export type ModelPrediction = Answer;

/** A prediction for an entity at an event time. A device calls the same row's prediction by the same id. */
export interface Prediction extends ModelPrediction {
  readonly id: string;
  readonly entity: string;
  /** Event time of the row. */
  readonly timeMs: number;
  readonly version: number;
}

export interface LoadOptions {
  /** Which code does the arithmetic. Default: the fastest that covers the model. */
  readonly engine?: EngineChoice;
  /** The server's Ed25519 public key, raw or base64: only what it has signed is loaded. Default: whoever signed it. */
  readonly serverKey?: Uint8Array | string;
}

/** A loaded model. One caller at a time; call `close` when done. */
export interface LoadedModel {
  readonly task: string;
  readonly version: number;
  /** Names of the columns, in order. */
  readonly features: readonly string[];
  /** What became of readings and rows: late, duplicate, warming up, missing; `predictions.not-finite` has no prediction. */
  readonly counters: Readonly<Record<string, number>>;
  /** Takes readings (unordered within the task's `disorder`) and gives the predictions of all rows that they complete. */
  push(...readings: readonly Reading[]): readonly Prediction[];
  /** Event time has come to `eventNowMs`, perhaps without readings: closes windows that it ends. */
  advance(eventNowMs: number): readonly Prediction[];
  /** The data has ended: the predictions of all rows still open. */
  flush(): readonly Prediction[];
  /** One row by column name. Throws `data-invalid` naming what is missing, unknown or not finite, the prediction included. */
  predict(features: Readonly<Record<string, number>>): ModelPrediction;
  /** Rows of columns in the order of `features`. */
  predict(rows: readonly (readonly number[] | Float32Array)[]): readonly ModelPrediction[];
  close(): void;
}

/** Rows predicted at once. */
const BATCH_ROWS = 256;

/**
 * Loads what `headwater model export` wrote: a folder, or a .tar archive. Everything is verified first. Rejects with
 * `data-missing`, `data-invalid`, `signature-invalid`, `task-invalid` or `model-unsupported`.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  const runtime = await createRuntime(options.engine ?? defaultEngine);
  try {
    const artefact = await readArtefact(await readFiles(path), runtime);
    checkKey(artefact, options.serverKey);
    const model = await runtime.model(describeModel(artefact.loaded, artefact.manifest.arm).definition);
    model.load(artefact.params);
    return new ArtefactModel(artefact, model, runtime);
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

function checkKey({ publicKey, manifest }: Artefact, wanted: LoadOptions["serverKey"]): void {
  if (wanted === undefined) return;
  const key = typeof wanted === "string" ? Buffer.from(wanted, "base64") : wanted;
  if (Buffer.compare(rawPublicKey(publicKey), key) === 0) return;
  const message = `version ${manifest.version} of ${manifest.task} is signed by another key than serverKey`;
  throw new HeadwaterError("signature-invalid", message);
}

class ArtefactModel implements LoadedModel {
  readonly features: readonly string[];
  readonly #artefact: Artefact;
  readonly #model: Model;
  readonly #runtime: ModelRuntime;
  readonly #pipeline: Pipeline;
  readonly #counters = new Counters();
  #rows: FeatureRow[] = [];

  constructor(artefact: Artefact, model: Model, runtime: ModelRuntime) {
    this.#artefact = artefact;
    this.#model = model;
    this.#runtime = runtime;
    this.#pipeline = createPipeline(artefact.loaded.task, {
      counters: this.#counters,
      sink: { features: (row) => this.#rows.push(row), example: () => undefined },
      // Nobody learns here: rows that wait for their label would only take memory.
      limits: { unlabelledRows: 1 },
    });
    this.features = this.#pipeline.columns;
  }

  get task(): string {
    return this.#artefact.loaded.task.task;
  }

  get version(): number {
    return this.#artefact.manifest.version;
  }

  get counters(): Readonly<Record<string, number>> {
    // Rows without a label are no loss here.
    const told = Object.entries(this.#counters.toJSON()).filter(([name]) => !name.startsWith("labels."));
    return Object.fromEntries(told);
  }

  push(...readings: readonly Reading[]): readonly Prediction[] {
    for (const reading of readings) this.#pipeline.push(reading);
    return this.#predictNew();
  }

  advance(eventNowMs: number): readonly Prediction[] {
    this.#pipeline.advance(eventNowMs);
    return this.#predictNew();
  }

  flush(): readonly Prediction[] {
    this.#pipeline.flush();
    return this.#predictNew();
  }

  predict(features: Readonly<Record<string, number>>): ModelPrediction;
  predict(rows: readonly (readonly number[] | Float32Array)[]): readonly ModelPrediction[];
  predict(
    given: Readonly<Record<string, number>> | readonly (readonly number[] | Float32Array)[],
  ): ModelPrediction | readonly ModelPrediction[] {
    const rows = isRows(given)
      ? given.map((row, at) => this.#checked(row, `row ${at}`))
      : [this.#byName(given)];
    const answers = this.#answer(rows);
    const bad = answers.findIndex((answer) => !isFiniteAnswer(answer));
    if (bad < 0) return isRows(given) ? answers : answers[0]!;
    const what = isRows(given) ? `row ${bad}` : "features";
    throw new HeadwaterError("data-invalid", `${what}: the prediction is no finite number`);
  }

  close(): void {
    this.#runtime.dispose();
  }

  #predictNew(): readonly Prediction[] {
    const rows = this.#rows;
    this.#rows = [];
    const { pipelineHash } = this.#artefact.loaded;
    const { version } = this;
    return this.#answer(rows.map(({ features }) => features)).flatMap((answer, at) => {
      const { entity, timeMs } = rows[at]!;
      // As on a device: one wild reading costs its own prediction and no other.
      if (isFiniteAnswer(answer))
        return [{ id: predictionId(pipelineHash, entity, timeMs), entity, timeMs, version, ...answer }];
      this.#counters.add("predictions.not-finite");
      return [];
    });
  }

  #answer(rows: readonly Float32Array[]): readonly ModelPrediction[] {
    const answers: ModelPrediction[] = [];
    for (let start = 0; start < rows.length; start += BATCH_ROWS)
      answers.push(...this.#answerBatch(rows.slice(start, start + BATCH_ROWS)));
    return answers;
  }

  #answerBatch(rows: readonly Float32Array[]): readonly ModelPrediction[] {
    const { scaler } = this.#artefact;
    return readAnswers(this.#model.definition, scaler, askRows(this.#model, scaler, rows));
  }

  #byName(named: Readonly<Record<string, number>>): Float32Array {
    const unknown = Object.keys(named).filter((name) => !this.features.includes(name));
    const missing = this.features.filter((name) => !Object.hasOwn(named, name));
    if (unknown.length > 0 || missing.length > 0) {
      const faults = [
        ...unknown.map((name) => `unknown ${name}`),
        ...missing.map((name) => `missing ${name}`),
      ];
      throw new HeadwaterError("data-invalid", `features: ${faults.slice(0, 10).join(", ")}`);
    }
    return this.#checked(
      this.features.map((name) => named[name]!),
      "features",
    );
  }

  #checked(row: readonly number[] | Float32Array, what: string): Float32Array {
    const width = this.features.length;
    if (row.length !== width)
      throw new HeadwaterError(
        "data-invalid",
        `${what}: ${row.length} values, not one for each of ${width} columns`,
      );
    const at = row.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return Float32Array.from(row);
    throw new HeadwaterError(
      "data-invalid",
      `${what}: ${this.features[at]} is ${row[at]}, not a finite number`,
    );
  }
}

function isRows(
  given: Readonly<Record<string, number>> | readonly (readonly number[] | Float32Array)[],
): given is readonly (readonly number[] | Float32Array)[] {
  return Array.isArray(given);
}
