// Serving on a fastify application: routes in, bytes out. The application is the caller's, and with it address, token
// and connections; fastify itself is not loaded here.

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Counters } from "../counters.js";
import { messageOf } from "../error.js";
import { discardBody } from "../http/discard.js";
import type { Logger } from "../log.js";
import { BODY_BYTES_MAX, ServingApi, type ServingOptions, type ServingReply } from "./api.js";
import { JSON_LENGTH_HEADER } from "./body.js";
import { describeRoutes } from "./openapi.js";
import { type ServingRoute, servingRoutes } from "./routes.js";

const URL_CHARS_SHOWN = 200;

/** What serving is given. */
export interface RegisterOptions extends ServingOptions {
  readonly logger: Logger;
  /** Before the body is read: answers and returns false when the caller may not ask. */
  readonly mayAsk?: (request: FastifyRequest, reply: FastifyReply) => boolean;
}

/** Adds the routes of `servingRoutes`, and their OpenAPI document, in a scope of their own. */
export async function registerInference(app: FastifyInstance, options: RegisterOptions): Promise<void> {
  const api = new ServingApi(options);
  const { logger, counters, models, mayAsk } = options;
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The stock client of Triton names no content type at all, and tensors are not JSON.
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    scope.setErrorHandler(async (error: FastifyError, { url, raw }, reply) => {
      const code = error.statusCode ?? 500;
      const isOurs = code >= 500;
      counters.add(`inference.refused.${isOurs ? "internal" : code === 413 ? "too-large" : "malformed"}`);
      if (isOurs) logger.error({ error: messageOf(error), url }, "could not answer a request");
      if (code === 413) await discardBody(raw);
      return send(reply, {
        code,
        json: { error: isOurs ? "the log says what went wrong" : describeError(error) },
      });
    });
    for (const route of servingRoutes) addRoute(scope, route, { api, mayAsk });
    addUnknown(scope, counters);
    // Made when it is first asked for: it takes milliseconds, and anyone may ask.
    let description: object | undefined;
    scope.get("/v2/openapi.json", { schema: { hide: true } }, (_, reply) => {
      description ??= describeRoutes(models.version);
      return send(reply, { code: 200, json: description });
    });
  });
}

function describeError(error: FastifyError): string {
  return error.statusCode === 413 ? `the body is larger than ${BODY_BYTES_MAX} bytes` : messageOf(error);
}

function addRoute(
  app: FastifyInstance,
  { method, path, answer }: ServingRoute,
  { api, mayAsk }: { readonly api: ServingApi; readonly mayAsk: RegisterOptions["mayAsk"] },
): void {
  app.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
    schema: { hide: true },
    bodyLimit: BODY_BYTES_MAX,
    onRequest: async (request, reply) => {
      // A probe of health has no token.
      if (!path.startsWith("/v2/health/") && mayAsk?.(request, reply) === false) return reply;
    },
    handler: async (request, reply) => send(reply, await answer(api, requestOf(request))),
  });
}

/** What else a client of the protocol may ask, such as Triton's extensions: an answer in its own words. */
function addUnknown(app: FastifyInstance, counters: Counters): void {
  app.all("/v2/*", {
    schema: { hide: true },
    // Before the body is read: nobody wants it.
    onRequest: async ({ method, url }, reply) => {
      counters.add("inference.refused.not-found");
      const what = `${method} ${url.slice(0, URL_CHARS_SHOWN)}`;
      return send(reply, {
        code: 404,
        json: { error: `there is no ${what}; /v2/openapi.json has what there is` },
      });
    },
    handler: async () => undefined,
  });
}

function requestOf({ params, body, headers }: FastifyRequest) {
  const { model, version } = params as { readonly model?: string; readonly version?: string };
  const jsonLength = headers[JSON_LENGTH_HEADER];
  return {
    model,
    version,
    body: body instanceof Uint8Array ? body : undefined,
    encoding: headers["content-encoding"],
    jsonLength: typeof jsonLength === "string" ? jsonLength : undefined,
  };
}

function send(reply: FastifyReply, { code, json, raw = [], retryMs }: ServingReply): FastifyReply {
  if (retryMs !== undefined) reply.header("retry-after", String(Math.max(1, Math.ceil(retryMs / 1000))));
  const text = JSON.stringify(json);
  if (raw.length === 0) return reply.code(code).type("application/json; charset=utf-8").send(text);
  const head = Buffer.from(text);
  return reply
    .code(code)
    .header(JSON_LENGTH_HEADER, String(head.length))
    .type("application/octet-stream")
    .send(Buffer.concat([head, ...raw]));
}
