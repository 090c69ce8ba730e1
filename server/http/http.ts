// The server over HTTP: what it knows, for programs (JSON, with its OpenAPI document; server-sent events) and for people
// (the dashboard). What can be changed through it is in actions.ts. Only this folder knows fastify, which is not even
// loaded before it is wanted.

import type { AddressInfo } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { type Address, formatAddress } from "../../shared/address.js";
import { assert } from "../../shared/assert.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import { countRefusals, guardConnections, TIMEOUT_CHECK_MS } from "../../shared/http/guard-connections.js";
import type { Logger } from "../../shared/log.js";
import { registerInference } from "../../shared/serving/register.js";
import type { ServedModels } from "../../shared/serving/served-model.js";
import { createTokenGuard } from "../../shared/token-guard.js";
import { refuseAction } from "./actions.js";
import { type Asset, type Assets, loadAssets } from "./assets.js";
import { EventHub, type EventLimits } from "./events.js";
import { addExportRoute } from "./export-route.js";
import { jsonSchema } from "./json-schema.js";
import { addMetrics, type MetricsSources } from "./metrics.js";
import { type ActionRoute, type ApiRoute, actionRoutes, apiRoutes } from "./routes.js";
import { problemSchema } from "./schema.js";
import type { ApiSources } from "./views.js";

export interface HttpOptions extends Address {
  readonly sources: ApiSources;
  /** Absent, there is no /metrics. */
  readonly metrics?: MetricsSources | undefined;
  readonly logger: Logger;
  /** Where models are served as well. */
  readonly serving?: ServingParts;
}

/** What serving takes beside the API's own sources. */
export interface ServingParts {
  readonly models: ServedModels;
  readonly counters: Counters;
  /** Who asks for a prediction must have it. */
  readonly token?: string | undefined;
}

/** A listening API. */
export interface HttpServer {
  readonly url: string;
  /** Ends all connections; resolves when nothing listens any more. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects with `address-unusable`, naming the address. */
export async function startHttp({ host, port, ...options }: HttpOptions): Promise<HttpServer> {
  const app = await createApp(options);
  const { sources, logger } = options;
  guardConnections(app.server, CONNECTIONS_MAX, countRefusals(sources.brokerCounters, logger));
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const message = `cannot listen on http ${host}:${port}: ${messageOf(cause)}`;
    throw new HeadwaterError("address-unusable", message, { cause });
  }
  const bound = app.server.address() as AddressInfo;
  return { url: `http://${formatAddress({ host, port: bound.port })}`, close: () => app.close() };
}

/** People and a few programs look at it, not a fleet: more than may listen to events. */
const CONNECTIONS_MAX = 512;
/** Requests say little, and none has a long address. */
const BODY_BYTES_MAX = 1024;
const HEADER_BYTES_MAX = 8 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;

/** What the application is made of; `assets` and `eventLimits` are for tests. */
export interface AppOptions extends Omit<HttpOptions, keyof Address> {
  readonly assets?: Assets;
  readonly eventLimits?: EventLimits;
}

/** The application without a socket. */
export async function createApp(options: AppOptions) {
  const { sources, logger, metrics, serving, assets = loadAssets(), eventLimits } = options;
  const { fastify } = await import("fastify");
  const app: FastifyInstance = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, _, reply) => void answerError(error, reply, logger),
  });
  app.removeContentTypeParser("text/plain");
  await describeApi(app, sources.version);
  app.addHook("onRequest", async (_, reply) => void reply.headers(SECURITY_HEADERS));
  app.setErrorHandler((error: FastifyError, _, reply) => answerError(error, reply, logger));
  app.setNotFoundHandler((request, reply) =>
    answer(reply, 404, { error: "not-found", message: `there is no ${request.method} ${request.url}` }),
  );
  for (const route of apiRoutes) addRoute(app, route, sources);
  addExportRoute(app, sources);
  addMetrics(app, sources, metrics);
  if (serving !== undefined) await addServing(app, serving, { sources, logger });
  for (const route of actionRoutes) addAction(app, route, { sources, logger });
  app.get("/api/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  addEvents(app, new EventHub(sources, eventLimits));
  addAssets(app, assets);
  await app.ready();
  return app;
}

async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  const { fastifySwagger } = await import("@fastify/swagger");
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.0.3",
      info: { title: "Headwater server", description: "What a federation is doing.", version },
    },
  });
}

function addRoute(app: FastifyInstance, route: ApiRoute, sources: ApiSources): void {
  const isAsked = route.query !== undefined || route.params !== undefined;
  const problems = isAsked ? { 400: problemSchema, 500: problemSchema } : { 500: problemSchema };
  app.get(route.url, { schema: schemaOf(route, problems) }, async ({ query, params }, reply) => {
    const { code, body } = route.answer(sources, { query, params });
    return reply.code(code).send(body);
  });
}

const ACTION_PROBLEMS = Object.fromEntries(
  [400, 401, 403, 415, 500, 503].map((code) => [code, problemSchema] as const),
);

function addAction(
  app: FastifyInstance,
  route: ActionRoute,
  { sources, logger }: Pick<HttpOptions, "sources" | "logger">,
): void {
  const { actions } = sources;
  const schema = { ...schemaOf(route, ACTION_PROBLEMS), body: jsonSchema(route.body, "input") };
  const { method, url: path } = route;
  app.route({
    ...{ method, url: path, schema, onRequest: guard(sources) },
    handler: async ({ query, params, body: asked, url }, reply) => {
      const operations = actions?.operations;
      assert(operations !== undefined, "the guard lets nobody in where nothing can be done");
      const { code, body } = await route.act(operations, { query, params, body: asked });
      logger.info({ event: "operator-action", method, url, code }, "asked for by an operator");
      return reply.code(code).send(body);
    },
  });
}

function guard({ actions }: ApiSources) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const refusal = refuseAction(actions, request.headers);
    if (refusal !== undefined) await answer(reply, refusal.code, refusal);
  };
}

function schemaOf(
  { summary, query, params, replies }: ApiRoute | ActionRoute,
  problems: Readonly<Record<number, z.ZodType>>,
) {
  const response = Object.fromEntries(
    Object.entries({ ...problems, ...replies }).map(([code, schema]) => [code, jsonSchema(schema, "output")]),
  );
  return {
    summary,
    response,
    ...(query === undefined ? {} : { querystring: jsonSchema(query, "input") }),
    ...(params === undefined ? {} : { params: jsonSchema(params, "input") }),
  };
}

function addEvents(app: FastifyInstance, hub: EventHub): void {
  app.addHook("preClose", async () => hub.close());
  app.get<{ Querystring: { since?: string } }>(
    "/api/events",
    { schema: { hide: true } },
    ({ headers, query }, reply) => {
      const response = reply.raw;
      const last = headers["last-event-id"] ?? query.since;
      if (hub.isFull) {
        hub.refuse();
        return answer(reply.header("retry-after", "5"), 503, {
          error: "too-many-watchers",
          message: `${hub.clients} dashboards are open, the most this server serves at a time`,
        });
      }
      reply.hijack();
      response.writeHead(200, { ...SECURITY_HEADERS, "content-type": "text/event-stream; charset=utf-8" });
      response.on("close", () => hub.leave(response));
      hub.join(response, typeof last === "string" ? last : undefined);
      return reply;
    },
  );
}

function addAssets(app: FastifyInstance, assets: Assets): void {
  for (const [path, asset] of assets) {
    app.get(path, { schema: { hide: true } }, (request, reply) => sendAsset(request, reply, asset));
  }
  if (assets.has("/")) return;
  app.get("/", { schema: { hide: true } }, (_, reply) =>
    answer(reply, 503, {
      error: "not-built",
      message: "the dashboard is not built: run `npm run build`; /api/status says the same in JSON",
    }),
  );
}

function sendAsset({ headers }: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  const caching = asset.isImmutable ? "public, max-age=31536000, immutable" : "no-cache";
  void reply.type(asset.type).header("cache-control", caching).header("vary", "accept-encoding");
  if (!/\bgzip\b/.test(String(headers["accept-encoding"] ?? ""))) return reply.send(asset.body);
  return reply.header("content-encoding", "gzip").send(asset.gzip);
}

function addServing(
  app: FastifyInstance,
  { models, counters, token }: ServingParts,
  { sources: { clock }, logger }: Pick<HttpOptions, "sources" | "logger">,
): Promise<void> {
  const isAllowed = createTokenGuard(token);
  const mayAsk = (request: FastifyRequest, reply: FastifyReply) => {
    if (isAllowed(request.headers.authorization)) return true;
    counters.add("inference.refused.unauthorized");
    reply.header("www-authenticate", "Bearer");
    void answer(reply, 401, { error: "unauthorized", message: "predictions are for who has the token" });
    return false;
  };
  return registerInference(app, { models, counters, clock, logger, mayAsk });
}

function answerError(error: FastifyError, reply: FastifyReply, logger: Logger) {
  const code = error.statusCode ?? 500;
  if (code < 500) return answer(reply, code, { error: "bad-request", message: error.message });
  logger.error({ error: messageOf(error), url: reply.request.url }, "could not answer a request");
  // What went wrong inside is for the log.
  return answer(reply, 500, { error: "internal", message: "the server could not answer; its log says why" });
}

function answer(
  reply: FastifyReply,
  code: number,
  { error, message }: z.infer<typeof problemSchema>,
): FastifyReply {
  return reply.code(code).type("application/json; charset=utf-8").send(JSON.stringify({ error, message }));
}

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;
