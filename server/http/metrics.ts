// GET /metrics: what the server counts and measures, for Prometheus; with ?devices=N also of so many devices, by id.

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { EXPOSITION_TYPE } from "../../shared/metrics/exposition.js";
import { describeFleet, describeReports } from "../metrics/fleet.js";
import type { ServerMeter } from "../metrics/meter.js";
import { type AlertCount, renderServerMetrics } from "../metrics/page.js";
import { SparingLook } from "../monitor/sparing-look.js";
import type { Server } from "../server.js";
import { jsonSchema } from "./json-schema.js";
import type { ApiSources } from "./views.js";

const querySchema = z.strictObject({ devices: z.int().min(0).max(1000).default(0) });

/** What /metrics needs besides what the API looks at. */
export interface MetricsSources {
  readonly meter: ServerMeter;
  readonly reports: Server["reports"];
  readonly alerts: () => readonly AlertCount[];
}

/** Adds the route; without a meter there is nothing to tell. */
export function addMetrics(app: FastifyInstance, api: ApiSources, metrics: MetricsSources | undefined): void {
  if (metrics === undefined) return;
  const { meter, reports, alerts } = metrics;
  const { task, server, clock } = api;
  const fleet = new SparingLook(clock, () =>
    describeReports({ task, reports: reports(), nowMs: clock.now() }),
  );
  const querystring = jsonSchema(querySchema, "input");
  app.get("/metrics", { schema: { hide: true, querystring } }, async ({ query }, reply) => {
    const { devices } = querySchema.parse(query);
    const told = {
      api,
      meter,
      alerts: alerts(),
      devices,
      fleet: describeFleet(server.status(), fleet.see()),
    };
    return reply.type(EXPOSITION_TYPE).send(renderServerMetrics(told));
  });
}
