// A model that is served, with params a test knows.

import { type FastifyInstance, fastify } from "fastify";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { RegisterOptions } from "../../shared/serving/register.js";
import { registerInference } from "../../shared/serving/register.js";
import type { ServedModel, ServedModels, ServedVersion } from "../../shared/serving/served-model.js";

/** Version 3 of the task "pumps" over the columns a and b, or c0, c1, ... */
export async function servedModel(
  runtime: ModelRuntime,
  definition: ModelDefinition,
  { params, scaler, ...more }: Partial<ServedVersion> & Partial<ServedModel> = {},
): Promise<ServedModel> {
  const model = await runtime.model(definition);
  const { inputs } = definition;
  const columns = inputs === 2 ? ["a", "b"] : Array.from({ length: inputs }, (_, at) => `c${at}`);
  const identity = {
    offset: columns.map(() => 0),
    factor: columns.map(() => 1),
    label: { offset: 0, factor: 1 },
  };
  const version: ServedVersion = {
    version: 3,
    params: params ?? (await model.initialParams("serving")),
    scaler: scaler ?? identity,
  };
  return {
    ...{ name: "pumps", columns, model, versions: () => [3], serving: () => 3 },
    load: async (number) => (number === 3 ? version : undefined),
    ...more,
  };
}

/** An application that serves it, and what it counted. */
export async function servingApp(
  served: ServedModel | undefined,
  options: Partial<RegisterOptions> = {},
): Promise<{ readonly app: FastifyInstance; readonly counters: Counters }> {
  const counters = new Counters();
  const models: ServedModels = {
    version: "1.2.3",
    notReady: () => (served === undefined ? "no task yet" : undefined),
    model: async () => served,
  };
  const app = fastify();
  await registerInference(app, { models, counters, clock: systemClock, logger: silentLogger, ...options });
  await app.ready();
  return { app, counters };
}
