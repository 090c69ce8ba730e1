// What a device answers over HTTP, to whoever may ask. Only loaded when the config says where to listen, and with it
// fastify.

import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from "fastify";
import { messageOf } from "../../shared/error.js";
import { countRefusals, guardConnections, TIMEOUT_CHECK_MS } from "../../shared/http/guard-connections.js";
import type { Random } from "../../shared/random.js";
import { createTokenGuard } from "../../shared/token-guard.js";
import type { HttpConfig } from "./config.js";
import { Listener } from "./listener.js";
import { httpParts } from "./parts.js";
import type { HttpPart, HttpSources } from "./port.js";
import { refuse } from "./reply.js";

/** A few programs ask, on this machine or near it; the pool of one of them may have a hundred. */
const CONNECTIONS_MAX = 128;
/** A part that takes more says so on its route (`bodyLimit`). */
const BODY_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = 8 * 1024;
const URL_CHARS_SHOWN = 200;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;

export interface HttpOptions extends HttpSources {
  readonly config: HttpConfig;
  readonly random: Random;
  /** Instead of all that there are. */
  readonly parts?: readonly HttpPart[];
}

/** Listens as soon as the address is free; the device does not wait for it. */
export async function openHttp(options: HttpOptions): Promise<Listener> {
  const { config, clock, logger, random } = options;
  const { host, port } = config;
  const createApp = () => createHttpApp(options);
  const listener = new Listener({ host, port, what: "questions", createApp, clock, logger, random });
  await listener.listen();
  return listener;
}

/** The application without a socket. */
export async function createHttpApp(options: Omit<HttpOptions, "random">): Promise<FastifyInstance> {
  const { config, logger, counters, parts = httpParts } = options;
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, _, reply) => void answerError(error, reply, options),
  });
  guardConnections(app.server, CONNECTIONS_MAX, countRefusals(counters, logger));
  const isAllowed = createTokenGuard(config.token);
  // Before the body is read: a stranger's is not.
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (isAllowed(request.headers.authorization)) return;
    counters.add("http.unauthorized");
    reply.header("www-authenticate", "Bearer");
    return refuse(reply, 401, "unauthorized", "this device answers who has its token");
  });
  app.setErrorHandler((error: FastifyError, _, reply) => answerError(error, reply, { logger, counters }));
  app.setNotFoundHandler(({ method, url }, reply) => {
    counters.add("http.not-found");
    return refuse(reply, 404, "not-found", `there is no ${method} ${url.slice(0, URL_CHARS_SHOWN)}`);
  });
  for (const part of parts) await app.register(async (scope) => part(scope, options));
  await app.ready();
  return app;
}

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
} as const;

function answerError(
  error: FastifyError,
  reply: FastifyReply,
  { logger, counters }: Pick<HttpSources, "logger" | "counters">,
): FastifyReply {
  const code = error.statusCode ?? 500;
  if (code < 500) {
    const word = code === 413 ? "too-large" : "bad-request";
    counters.add(`http.${word}`);
    return refuse(reply, code, word, error.message);
  }
  counters.add("http.internal");
  logger.error({ error: messageOf(error), url: reply.request.url }, "could not answer a request");
  // What went wrong inside is for the log.
  return refuse(reply, 500, "internal", "the device could not answer; its log says why");
}
