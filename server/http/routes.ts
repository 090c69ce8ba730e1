// The API, route by route.

import type { z } from "zod";
import {
  devicesQuerySchema,
  devicesSchema,
  healthSchema,
  modelsSchema,
  roundsQuerySchema,
  roundsSchema,
  statusSchema,
} from "./schema.js";
import { type ApiSources, describeDevices, describeModels, describeRounds, describeServer } from "./views.js";

/** A GET route: what it may be asked, and what it answers with which status code. */
export interface ApiRoute {
  readonly url: string;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly replies: Readonly<Record<number, z.ZodType>>;
  /** `query` has passed the route's schema. */
  readonly answer: (sources: ApiSources, query: unknown) => { readonly code: number; readonly body: object };
}

/** Every route with a place in the OpenAPI document. */
export const apiRoutes: readonly ApiRoute[] = [
  {
    url: "/api/status",
    summary: "Where the federation stands",
    replies: { 200: statusSchema },
    answer: (sources) => ok(describeServer(sources)),
  },
  {
    url: "/api/rounds",
    summary: "Rounds, newest first",
    query: roundsQuerySchema,
    replies: { 200: roundsSchema },
    answer: (sources, query) => ok(describeRounds(sources, roundsQuerySchema.parse(query))),
  },
  {
    url: "/api/models",
    summary: "Model versions kept, newest first",
    replies: { 200: modelsSchema },
    answer: (sources) => ok(describeModels(sources)),
  },
  {
    url: "/api/devices",
    summary: "Devices enrolled or heard, by id",
    query: devicesQuerySchema,
    replies: { 200: devicesSchema },
    answer: (sources, query) => ok(describeDevices(sources, devicesQuerySchema.parse(query))),
  },
  {
    url: "/health/live",
    summary: "The process answers",
    replies: { 200: healthSchema },
    answer: () => ok({ status: "ok" }),
  },
  {
    url: "/health/ready",
    summary: "Devices can be served: the journal is recovered and the broker is there",
    replies: { 200: healthSchema, 503: healthSchema },
    answer: ({ notReady }) => {
      const reason = notReady();
      if (reason === undefined) return ok({ status: "ok" });
      return { code: 503, body: { status: "not-ready", reason } };
    },
  },
];

function ok(body: object) {
  return { code: 200, body };
}
