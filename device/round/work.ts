// The work of a round: fetch the base, then count, train or score. What cannot end in a sound update ends in a
// reason to decline.

import { assert } from "../../shared/assert.js";
import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import { quantileNeeds, scalerHash } from "../../shared/pipeline/scaler.js";
import type { Task } from "../../shared/task/task.js";
import type { Offer } from "../../shared/wire/message.js";
import type { ExampleReader } from "../examples/batch.js";
import type { ModelCache } from "../model/cache.js";
import { type ArmPlace, type BaseModel, checkModel, type ModelPlace } from "../model/check.js";
import type { Downloader } from "../model/downloader.js";
import type { HashedBlob } from "../model/hashed-blob.js";
import type { ExampleBatch, Trainer } from "../train/trainer.js";
import {
  type BuiltUpdate,
  buildEvaluateUpdate,
  buildFitUpdate,
  buildPairedUpdate,
  buildTrainUpdate,
  type Score,
  type UpdateContext,
} from "../update/builder.js";

/** What work stands on. */
export interface WorkOptions {
  readonly task: Task;
  readonly device: DeviceId;
  readonly place: ModelPlace;
  readonly reader: ExampleReader;
  readonly trainer: Trainer;
  readonly downloader: Downloader;
  readonly cache: ModelCache;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** A base, why it will not do, or `refused`: the server does not have it. */
export type BaseOutcome =
  | { readonly ok: true; readonly base: BaseModel }
  | { readonly ok: false; readonly reason: string | "refused" };

/** An update, or why there is none. */
export type WorkOutcome =
  | { readonly ok: true; readonly update: BuiltUpdate }
  | { readonly ok: false; readonly reason: string };

/** Does the work of one task's rounds. */
export class RoundWork {
  readonly #options: WorkOptions;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** Fetches and checks the base of an offer that has one; keeps it for the next start. Rejects as `perform` does. */
  async fetchBase(offer: Offer, signal: AbortSignal): Promise<BaseOutcome> {
    const { manifest, chunkBytes } = offer;
    assert(manifest !== null, "only a round with a base fetches one");
    const { sha256, bytes } = manifest;
    const fetched = await this.#options.downloader.fetch({ sha256, bytes, chunkBytes }, signal);
    if (!fetched.ok) return { ok: false, reason: "refused" };
    const checked = checkModel(fetched.blob, manifest, this.#options.place);
    if (!checked.ok) return { ok: false, reason: `base: ${checked.reason}` };
    this.#keep(checked.model, fetched.blob);
    return { ok: true, base: checked.model };
  }

  /** Works on an accepted offer. Rejects with what the trainer or the disk says, or when aborted. */
  async perform(offer: Offer, base: BaseModel | undefined, signal: AbortSignal): Promise<WorkOutcome> {
    if (!this.#hasEnough(offer)) return { ok: false, reason: "too-few-examples" };
    const update = await this.#perform(offer, base, signal);
    return update === undefined ? { ok: false, reason: "diverged" } : { ok: true, update };
  }

  /** Of the examples that count in this round: all of them were enough when it was accepted. */
  #hasEnough({ kind, sinceMs }: Offer): boolean {
    if (sinceMs === null) return true;
    const { task, reader } = this.#options;
    if (kind === "evaluate") return reader.count("validation", sinceMs) > 0;
    return reader.count("train", sinceMs) >= Math.max(1, task.rounds.minExamples);
  }

  async #perform(
    offer: Offer,
    base: BaseModel | undefined,
    signal: AbortSignal,
  ): Promise<BuiltUpdate | undefined> {
    const { task, device, reader } = this.#options;
    const context: UpdateContext = { task: task.task, device, offer };
    const sinceMs = offer.sinceMs ?? undefined;
    if (offer.kind === "fit")
      return buildFitUpdate(context, await reader.statistics(quantileNeeds(task), sinceMs));
    assert(base !== undefined, "a round that trains or scores has a base");
    if (offer.kind === "train") return this.#train(context, base, signal);
    return this.#evaluate(context, base, signal);
  }

  async #train(
    context: UpdateContext,
    base: BaseModel,
    signal: AbortSignal,
  ): Promise<BuiltUpdate | undefined> {
    const { device, reader, trainer } = this.#options;
    const { definition, spec, plan } = this.#armOf(base);
    const { seed, round, sinceMs } = context.offer;
    const examples = await reader.scaled("train", base.scaler, sinceMs ?? undefined);
    const job = {
      kind: "train",
      ...{ definition, plan },
      params: base.params,
      examples,
      seed: JSON.stringify([seed, "shuffle", round, device]),
    } as const;
    const result = await trainer.run(job, signal);
    return buildTrainUpdate(context, { base, spec, result, examples: examples.rows });
  }

  async #evaluate(
    context: UpdateContext,
    base: BaseModel,
    signal: AbortSignal,
  ): Promise<BuiltUpdate | undefined> {
    const { reader } = this.#options;
    const { beside: wanted, sinceMs } = context.offer;
    const beside = await this.#fetchBeside(context.offer, base, signal);
    // Read once: all are scored on the very same rows.
    const examples = await reader.scaled("validation", base.scaler, sinceMs ?? undefined);
    const scores: Score[] = [];
    for (const version of [base, ...beside]) scores.push(await this.#score(version, examples, signal));
    if (wanted === undefined) return buildEvaluateUpdate(context, base, scores[0]!.sums);
    return buildPairedUpdate(context, base, scores);
  }

  async #score(version: BaseModel, examples: ExampleBatch, signal: AbortSignal): Promise<Score> {
    const { clock, trainer } = this.#options;
    const startedMs = clock.now();
    const job = {
      kind: "evaluate",
      definition: this.#armOf(version).definition,
      params: version.params,
      examples,
      labelFactor: version.scaler.label.factor,
    } as const;
    const { sums } = await trainer.run(job, signal);
    return { sums, elapsedMs: Math.max(0, clock.now() - startedMs) };
  }

  /** The versions to score beside the round's own. Rejects with `data-missing` when the server has one no longer. */
  async #fetchBeside(
    { chunkBytes, beside = [] }: Offer,
    base: BaseModel,
    signal: AbortSignal,
  ): Promise<readonly BaseModel[]> {
    const { downloader, place } = this.#options;
    const versions: BaseModel[] = [];
    for (const manifest of beside) {
      const { sha256, bytes, version } = manifest;
      const fetched = await downloader.fetch({ sha256, bytes, chunkBytes }, signal);
      if (!fetched.ok)
        throw new HeadwaterError("data-missing", `the server has version ${version} no longer`);
      const checked = checkModel(fetched.blob, manifest, place);
      if (!checked.ok) throw new HeadwaterError("data-invalid", `version ${version}: ${checked.reason}`);
      // Candidates have the scaler in common, and with it the rows as they see them.
      if (scalerHash(checked.model.scaler) !== scalerHash(base.scaler))
        throw new HeadwaterError(
          "data-invalid",
          `version ${version} has another scaler than the round's own`,
        );
      versions.push(checked.model);
    }
    return versions;
  }

  /** How a version is run and trained: as the task says, or as its arm does. */
  #armOf({ manifest: { arm } }: BaseModel): Omit<ArmPlace, "claim"> {
    const { place, task } = this.#options;
    const own = arm === undefined ? undefined : place.arms?.get(arm);
    return own ?? { ...place, plan: task.train };
  }

  // Without a place on disk the round goes on from memory; only a restart would have to fetch the base again.
  #keep({ manifest }: BaseModel, blob: HashedBlob): void {
    try {
      this.#options.cache.arrange({ base: manifest }, { blob });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`models.base-not-stored.${error.code}`);
    }
  }
}
