// Makes versions: the first one, each round's, and head's return to stable. Pure in effect: it stores nothing,
// and making a version twice gives the same params.

import { assert, unreachable } from "../../shared/assert.js";
import type { Clock } from "../../shared/clock.js";
import type { RunManifest, Signed } from "../../shared/lineage/record.js";
import { isAllFinite } from "../../shared/params/vector.js";
import { fitScaler } from "../../shared/pipeline/scaler.js";
import { type FleetStatistics, StatisticsPool } from "../../shared/pipeline/statistics.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Manifest } from "../../shared/wire/message.js";
import { Scratch } from "../../shared/wire/scratch.js";
import type { KeyPair } from "../../shared/wire/signature.js";
import { unpackUpdate } from "../../shared/wire/update-frame.js";
import { foldUpdates } from "../aggregate/fold.js";
import { aggregators } from "../aggregate/registry.js";
import type { Staging, Upload } from "../ingest/staging.js";
import type { RunWriter } from "../lineage/run-writer.js";
import { createOptimizer } from "../optimize/registry.js";
import type { MakeCommand, UpdateRef } from "../round/command.js";
import type { ArmLearning, Learning } from "./learning.js";
import type { ModelRegistry } from "./registry.js";
import { sealVersion } from "./seal.js";

export interface MakerOptions {
  readonly loaded: LoadedTask;
  readonly keys: KeyPair;
  readonly clock: Clock;
  readonly learning: Learning;
  readonly registry: ModelRegistry;
  readonly staging: Staging;
  /** How a version comes to be is written down with it. */
  readonly runs: RunWriter;
}

/** A version that is ready to be stored. */
export interface MadeVersion {
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
  readonly run: Signed<RunManifest>;
}

interface Content {
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
  readonly parent: number;
  readonly arm: string | undefined;
}

/** Makes what commands ask for. */
export class VersionMaker {
  readonly #options: MakerOptions;
  /** Of the update that is being folded; each is done with before the next is read. */
  readonly #scratch = new Scratch();

  constructor(options: MakerOptions) {
    this.#options = options;
  }

  /** The version, or undefined when the updates do not add up to finite params. Rejects when `signal` aborts. */
  async make(command: MakeCommand, signal: AbortSignal): Promise<MadeVersion | undefined> {
    const content = await this.#contentOf(command, signal);
    if (!isAllFinite(content.params)) return undefined;
    const { clock, keys, learning, loaded, runs, staging } = this.#options;
    const { params, scaler, parent, arm } = content;
    const { spec, signatureOf } = learning.of(arm);
    const { version } = command;
    const { manifest, blob } = sealVersion(
      keys,
      { task: loaded.task.task, version, parent, arm, createdMs: clock.now() },
      { params, scaler, fingerprint: spec.fingerprint, modelSignature: signatureOf(scaler) },
    );
    const run = runs.write({
      manifest,
      scaler,
      kind: command.type,
      round: "round" in command ? command.round : 0,
      updates: "updates" in command ? command.updates.map((ref) => announced(staging, ref)) : [],
    });
    return { blob, manifest, run };
  }

  async #contentOf(command: MakeCommand, signal: AbortSignal): Promise<Content> {
    const { learning, loaded } = this.#options;
    const { task } = loaded;
    switch (command.type) {
      case "initialise":
        return { ...firstOf(learning), scaler: fitScaler(task, undefined) };
      case "fit": {
        const scaler = fitScaler(task, await this.#mergeStatistics(command.updates, signal));
        return { ...firstOf(learning), scaler };
      }
      case "start": {
        const { scaler } = await this.#version(command.scalerOf);
        return { ...firstOf(learning.of(command.arm)), scaler };
      }
      case "fold":
        return this.#fold(command, signal);
      case "revert": {
        const { params, scaler, manifest } = await this.#version(command.from);
        return { params, scaler, parent: command.from, arm: manifest.arm };
      }
      default:
        return unreachable(command);
    }
  }

  async #fold(command: MakeCommand & { type: "fold" }, signal: AbortSignal): Promise<Content> {
    const { loaded, clock } = this.#options;
    const { aggregate: spec } = loaded.task;
    const base = await this.#version(command.base);
    const aggregate = await foldUpdates(aggregators[spec.rule], {
      updates: command.updates,
      count: base.params.length,
      read: (ref) => this.#readDelta(ref),
      clock,
      signal,
    });
    const params = createOptimizer(spec.optimizer).apply(base.params, aggregate);
    return { params, scaler: base.scaler, parent: command.base, arm: base.manifest.arm };
  }

  async #mergeStatistics(updates: readonly UpdateRef[], signal: AbortSignal): Promise<FleetStatistics> {
    const pool = new StatisticsPool(updates.length);
    const pause = async () => {
      await this.#options.clock.turn();
      signal.throwIfAborted();
    };
    for (const ref of updates) {
      const { fit } = this.#readUpdate(ref).header;
      assert(fit !== null, `update ${ref.updateId} of a fit round has statistics`);
      pool.add(fit);
      await pause();
    }
    return pool.finish(pause);
  }

  async #readDelta(ref: UpdateRef) {
    const { header, delta } = this.#readUpdate(ref);
    assert(delta !== undefined, `update ${ref.updateId} of a train round has a delta`);
    return { delta, examples: header.examples };
  }

  #readUpdate({ device, updateId }: UpdateRef) {
    const { staging } = this.#options;
    const upload = announced(staging, { device, updateId });
    // The checksum tells that these are the bytes whose numbers were checked when they were accepted.
    const update = unpackUpdate(staging.assemble(upload, this.#scratch), this.#scratch);
    assert(update.ok, `accepted update ${updateId} is one`);
    return update;
  }

  async #version(version: number) {
    const model = await this.#options.registry.model(version);
    assert(model !== undefined, `version ${version} is kept while it is needed`);
    return model;
  }
}

function firstOf({ initialParams, arm }: ArmLearning): Omit<Content, "scaler"> {
  return { params: initialParams, parent: 0, arm };
}

function announced(staging: Staging, { device, updateId }: UpdateRef): Upload {
  const upload = staging.find(device, updateId);
  assert(upload !== undefined, `accepted update ${updateId} is still there`);
  return upload;
}
