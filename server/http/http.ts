// The server over HTTP: what it knows, for programs (JSON, with its OpenAPI document) and for people (one page).
// Nothing can be changed through it. Only this file knows fastify, which is not even loaded before it is wanted.

import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type Address, formatAddress } from "../../shared/address.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import { registerInference } from "../../shared/serving/register.js";
import type { ServedModels } from "../../shared/serving/served-model.js";
import { createTokenGuard } from "../../shared/token-guard.js";
import { addMetrics, type MetricsSources } from "./metrics.js";
import { renderPage } from "./page.js";
import { PAGE_SCRIPT, PAGE_STYLE } from "./page-assets.js";
import { type ApiRoute, apiRoutes } from "./routes.js";
import { problemSchema } from "./schema.js";
import { type ApiSources, describeModels, describeRounds, describeServer } from "./views.js";

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
  app.server.maxConnections = CONNECTIONS_MAX;
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

/** People and a few programs look at it, not a fleet. */
const CONNECTIONS_MAX = 256;
/** The API's own requests have no body, and no long address. */
const BODY_BYTES_MAX = 1024;
const HEADER_BYTES_MAX = 8 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;

/** The application without a socket. */
export async function createApp({ sources, logger, metrics, serving }: Omit<HttpOptions, keyof Address>) {
  const { fastify } = await import("fastify");
  const app: FastifyInstance = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, _, reply) => void answerError(error, reply, logger),
  });
  await describeApi(app, sources.version);
  app.addHook("onRequest", async (_, reply) => void reply.headers(SECURITY_HEADERS));
  app.setErrorHandler((error: FastifyError, _, reply) => answerError(error, reply, logger));
  app.setNotFoundHandler((request, reply) =>
    answer(reply, 404, { error: "not-found", message: `there is no ${request.method} ${request.url}` }),
  );
  for (const route of apiRoutes) addRoute(app, route, sources);
  addMetrics(app, sources, metrics);
  if (serving !== undefined) await addServing(app, serving, { sources, logger });
  app.get("/api/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  app.get("/", { schema: { hide: true } }, async (_, reply) => {
    const rounds = describeRounds(sources, { limit: ROUNDS_ON_PAGE });
    const page = renderPage({ status: describeServer(sources), ...rounds, ...describeModels(sources) });
    return reply.type("text/html; charset=utf-8").send(page);
  });
  await app.ready();
  return app;
}

const ROUNDS_ON_PAGE = 20;

async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  const { fastifySwagger } = await import("@fastify/swagger");
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.0.3",
      info: { title: "Headwater server", description: "What a federation is doing. Read only.", version },
    },
  });
}

function addRoute(app: FastifyInstance, route: ApiRoute, sources: ApiSources): void {
  const { url, summary, query, replies } = route;
  const problems = query === undefined ? { 500: problemSchema } : { 400: problemSchema, 500: problemSchema };
  const response = Object.fromEntries(
    Object.entries({ ...problems, ...replies }).map(([code, schema]) => [code, jsonSchema(schema, "output")]),
  );
  const querystring = query === undefined ? {} : { querystring: jsonSchema(query, "input") };
  app.get(url, { schema: { summary, response, ...querystring } }, async (request, reply) => {
    const { code, body } = route.answer(sources, request.query);
    return reply.code(code).send(body);
  });
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

function jsonSchema(schema: z.ZodType, io: "input" | "output") {
  return z.toJSONSchema(schema, { target: "openapi-3.0", io });
}

function answerError(error: FastifyError, reply: FastifyReply, logger: Logger) {
  const code = error.statusCode ?? 500;
  if (code < 500) return answer(reply, code, { error: "bad-request", message: error.message });
  logger.error({ error: messageOf(error), url: reply.request.url }, "could not answer a request");
  // What went wrong inside is for the log.
  return answer(reply, 500, { error: "internal", message: "the server could not answer; its log says why" });
}

function answer(reply: FastifyReply, code: number, problem: z.infer<typeof problemSchema>): FastifyReply {
  return reply.code(code).type("application/json; charset=utf-8").send(JSON.stringify(problem));
}

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": [
    "default-src 'none'",
    `style-src ${hashSource(PAGE_STYLE)}`,
    `script-src ${hashSource(PAGE_SCRIPT)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** CSP level 3, section 6.7.2.3: only an element with exactly this text is let in. */
function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}
