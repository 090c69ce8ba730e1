// The served model over HTTP: the Open Inference Protocol V2, and /predict.

import { registerInference } from "../../shared/serving/register.js";
import type { ServedModel, ServedModels, ServedVersion } from "../../shared/serving/served-model.js";
import type { Agent } from "../agent.js";
import type { ServingDeployment } from "../infer/serving.js";
import type { BaseModel } from "../model/check.js";
import type { HttpPart } from "./port.js";

/** Token and limits of connections are the listener's. */
export const inferencePart: HttpPart = (app, { agent, version, clock, counters, logger }) =>
  registerInference(app, { models: new DeviceModels(agent, version), clock, counters, logger });

/** The model of the task that the agent runs, and of it the version that the slot serves. */
class DeviceModels implements ServedModels {
  readonly version: string;
  readonly #agent: Pick<Agent, "deployed">;
  #served: { readonly of: ServingDeployment; readonly model: ServedModel } | undefined;

  constructor(agent: Pick<Agent, "deployed">, version: string) {
    this.#agent = agent;
    this.version = version;
  }

  notReady(): string | undefined {
    const deployment = this.#agent.deployed();
    if (deployment === undefined) return "no task yet";
    return deployment.serving() === undefined ? "no version to serve yet" : undefined;
  }

  async model(): Promise<ServedModel | undefined> {
    const deployment = this.#agent.deployed();
    if (deployment === undefined) return undefined;
    if (this.#served?.of !== deployment) {
      this.#served = { of: deployment, model: new DeployedModel(deployment) };
    }
    return this.#served.model;
  }
}

class DeployedModel implements ServedModel {
  readonly name: string;
  readonly columns: readonly string[];
  readonly model: ServedModel["model"];
  readonly threshold?: (version: ServedVersion) => number | undefined;
  readonly #deployment: ServingDeployment;
  #at: { readonly base: BaseModel; readonly version: ServedVersion } | undefined;

  constructor(deployment: ServingDeployment) {
    this.#deployment = deployment;
    this.name = deployment.task;
    this.columns = deployment.columns;
    this.model = deployment.model;
    const { threshold } = deployment;
    if (threshold === undefined) return;
    this.threshold = (version) =>
      this.#at?.version === version && deployment.serving() === this.#at.base
        ? threshold.of(this.#at.base)
        : undefined;
  }

  versions(): readonly number[] {
    const serving = this.serving();
    return serving === undefined ? [] : [serving];
  }

  serving(): number | undefined {
    return this.#deployment.serving()?.manifest.version;
  }

  async load(version: number): Promise<ServedVersion | undefined> {
    const base = this.#deployment.serving();
    if (base === undefined || base.manifest.version !== version) return undefined;
    if (this.#at?.base !== base) {
      const { params, scaler } = base;
      this.#at = { base, version: { version, params, scaler } };
    }
    return this.#at.version;
  }

  online(entity: string) {
    return this.#deployment.online(entity);
  }
}
