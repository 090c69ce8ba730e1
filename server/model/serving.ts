// The server's versions, served to whoever sends features. The engine is built when the first request comes: a server
// that nobody asks computes without one.

import { Lru } from "../../shared/lru.js";
import { buildTaskModel, claimParams } from "../../shared/model/arms-model.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import type { ServedModel, ServedModels, ServedVersion } from "../../shared/serving/served-model.js";
import type { Task } from "../../shared/task/task.js";
import type { Server } from "../server.js";

/** Versions at hand: those of requests that name one, beside the stable one. */
const VERSIONS_MAX = 4;

/** Serves the stable version, and every kept one by its number. */
export class ServerModels implements ServedModels {
  readonly version: string;
  readonly #task: Task;
  readonly #server: Pick<Server, "stable" | "versions" | "model">;
  readonly #createRuntime: () => Promise<ModelRuntime>;
  #runtime: Promise<ModelRuntime> | undefined;
  #model: Promise<ServedModel> | undefined;

  constructor(options: {
    readonly task: Task;
    readonly server: Pick<Server, "stable" | "versions" | "model">;
    /** Of Headwater. */
    readonly version: string;
    readonly createRuntime?: () => Promise<ModelRuntime>;
  }) {
    this.version = options.version;
    this.#task = options.task;
    this.#server = options.server;
    this.#createRuntime = options.createRuntime ?? (() => createRuntime(defaultEngine));
  }

  notReady(): string | undefined {
    if (this.#server.stable() !== undefined) return undefined;
    return `${this.#task.task} has no stable version yet`;
  }

  model(): Promise<ServedModel> {
    this.#model ??= this.#build().catch((error: unknown) => {
      this.#model = undefined;
      throw error;
    });
    return this.#model;
  }

  async close(): Promise<void> {
    const runtime = await this.#runtime?.catch(() => undefined);
    runtime?.dispose();
  }

  async #build(): Promise<ServedModel> {
    const { columns } = planPipeline(this.#task);
    this.#runtime ??= this.#createRuntime();
    const runtime = await this.#runtime;
    const model = await buildTaskModel(this.#task, runtime);
    const atHand = new Lru<number, ServedVersion>(VERSIONS_MAX);
    return {
      ...{ name: this.#task.task, columns, model },
      versions: () => this.#server.versions().map(({ manifest }) => manifest.version),
      serving: () => this.#server.stable(),
      load: async (version) => {
        const known = atHand.get(version);
        if (known !== undefined) return known;
        const kept = await this.#server.model(version);
        if (kept === undefined) return undefined;
        claimParams(model, kept.params, kept.manifest.arm);
        const served = { version, params: kept.params, scaler: kept.scaler };
        atHand.set(version, served);
        return served;
      },
    };
  }
}
