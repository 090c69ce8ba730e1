// The API, route by route.

import type { z } from "zod";
import type { ActionResult } from "../server.js";
import type { ServerOperations } from "./actions.js";
import { describeDevices } from "./device-list.js";
import {
  actionBodySchema,
  aliasBodySchema,
  aliasParamsSchema,
  type DriftView,
  devicesQuerySchema,
  devicesSchema,
  doneSchema,
  driftQuerySchema,
  driftSchema,
  healthSchema,
  lineageQuerySchema,
  lineageSchema,
  metricPointsSchema,
  metricsQuerySchema,
  modelParamsSchema,
  modelsSchema,
  problemSchema,
  roundDetailSchema,
  roundParamsSchema,
  roundsQuerySchema,
  roundsSchema,
  selectionSchema,
  statusSchema,
  taskViewSchema,
} from "./schema.js";
import { selectionView } from "./selection-view.js";
import { describeTask } from "./task-view.js";
import {
  type ApiSources,
  describeLineage,
  describeMetrics,
  describeModels,
  describeRoundDetail,
  describeRounds,
  describeServer,
} from "./views.js";

/** What a route answers. */
export interface ApiAnswer {
  readonly code: number;
  readonly body: object;
}

/** What a route is asked; both have passed its schemas. */
export interface ApiQuestion {
  readonly query: unknown;
  readonly params: unknown;
}

/** What an action is asked; all have passed its schemas. */
export interface ActionQuestion extends ApiQuestion {
  readonly body: unknown;
}

interface RouteShape {
  /** With parameters as fastify writes them. */
  readonly url: string;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly params?: z.ZodType;
  readonly replies: Readonly<Record<number, z.ZodType>>;
}

/** A GET route: what it may be asked, and what it answers with which status code. */
export interface ApiRoute extends RouteShape {
  readonly answer: (sources: ApiSources, question: ApiQuestion) => ApiAnswer;
}

/** A route that changes something; who asks has been checked (actions.ts). */
export interface ActionRoute extends RouteShape {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly body: z.ZodType;
  readonly act: (operations: ServerOperations, question: ActionQuestion) => Promise<ApiAnswer>;
}

/** Where nothing is reported. */
const NO_DRIFT: DriftView = { columns: [], devices: [], total: 0, silentAfterMs: 0 };

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
    answer: (sources, { query }) => ok(describeRounds(sources, roundsQuerySchema.parse(query))),
  },
  {
    url: "/api/rounds/:round",
    summary: "One round, with what each device did and when",
    params: roundParamsSchema,
    replies: { 200: roundDetailSchema, 404: problemSchema },
    answer: (sources, { params }) => {
      const { round } = roundParamsSchema.parse(params);
      const detail = describeRoundDetail(sources, round);
      if (detail !== undefined) return ok(detail);
      return { code: 404, body: { error: "not-found", message: `round ${round} is not remembered` } };
    },
  },
  {
    url: "/api/metrics",
    summary: "What evaluate rounds measured, oldest first",
    query: metricsQuerySchema,
    replies: { 200: metricPointsSchema },
    answer: (sources, { query }) => ok(describeMetrics(sources, metricsQuerySchema.parse(query))),
  },
  {
    url: "/api/drift",
    summary: "How far each device's data has drifted, column by column",
    query: driftQuerySchema,
    replies: { 200: driftSchema },
    answer: ({ drift }, { query }) => ok(drift?.view(driftQuerySchema.parse(query)) ?? NO_DRIFT),
  },
  {
    url: "/api/selection",
    summary: "How the task's candidates do against each other",
    replies: { 200: selectionSchema, 404: problemSchema },
    answer: ({ server }) => {
      const selection = selectionView(server.status());
      if (selection !== undefined) return ok(selection);
      return { code: 404, body: { error: "not-found", message: "the task has no candidates" } };
    },
  },
  {
    url: "/api/task",
    summary: "The task as its author wrote it, and what it costs",
    replies: { 200: taskViewSchema },
    answer: (sources) => ok(describeTask(sources)),
  },
  {
    url: "/api/models",
    summary: "Model versions kept, newest first",
    replies: { 200: modelsSchema },
    answer: (sources) => ok(describeModels(sources)),
  },
  {
    url: "/api/models/:version/lineage",
    summary: "How a version was made and judged, and how those were that it came from: signed records",
    query: lineageQuerySchema,
    params: modelParamsSchema,
    replies: { 200: lineageSchema, 404: problemSchema },
    answer: (sources, { query, params }) => {
      const { version } = modelParamsSchema.parse(params);
      const body = describeLineage(sources, version, lineageQuerySchema.parse(query));
      if (body.lineage.length > 0) return ok(body);
      const message = `there is no version ${version}, or what was known of it is kept no longer`;
      return { code: 404, body: { error: "not-found", message } };
    },
  },
  {
    url: "/api/devices",
    summary: "Devices enrolled or heard, by id",
    query: devicesQuerySchema,
    replies: { 200: devicesSchema },
    answer: (sources, { query }) => ok(describeDevices(sources, devicesQuerySchema.parse(query))),
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

/** Everything an operator may change. */
export const actionRoutes: readonly ActionRoute[] = [
  {
    method: "POST",
    url: "/api/models/:version/promote",
    summary: "Lets devices serve this version from now on",
    params: modelParamsSchema,
    body: actionBodySchema,
    replies: { 200: doneSchema, 409: problemSchema },
    act: async (operations, { params }) =>
      outcome(await operations.promote(modelParamsSchema.parse(params).version)),
  },
  {
    method: "POST",
    url: "/api/rollback",
    summary: "Ends a trial, or takes devices back to the version they served before",
    body: actionBodySchema,
    replies: { 200: doneSchema, 409: problemSchema },
    act: async (operations) => outcome(await operations.rollBack()),
  },
  {
    method: "PUT",
    url: "/api/aliases/:name",
    summary: "Gives a version a name, which may have been another's; named versions are kept",
    params: aliasParamsSchema,
    body: aliasBodySchema,
    replies: { 200: doneSchema, 409: problemSchema },
    act: async (operations, { params, body }) => {
      const { name } = aliasParamsSchema.parse(params);
      return outcome(await operations.nameVersion(name, aliasBodySchema.parse(body).version));
    },
  },
  {
    method: "DELETE",
    url: "/api/aliases/:name",
    summary: "Takes a name away",
    params: aliasParamsSchema,
    body: actionBodySchema,
    replies: { 200: doneSchema, 409: problemSchema },
    act: async (operations, { params }) =>
      outcome(await operations.dropName(aliasParamsSchema.parse(params).name)),
  },
];

function ok(body: object): ApiAnswer {
  return { code: 200, body };
}

function outcome(result: ActionResult): ApiAnswer {
  if (result.ok) return ok({ done: true });
  return { code: 409, body: { error: "refused", message: result.reason } };
}
