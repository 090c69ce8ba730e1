// Telemetry pushed over HTTP: POST a message, or several as lines. 202 says that they are safe; 429 that they come too
// fast. Only loaded when a device has such a source, and with it fastify.

import type { AddressInfo } from "node:net";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { type DecodedBody, decodeBody } from "../../../shared/http/content-encoding.js";
import { discardBody } from "../../../shared/http/discard.js";
import { guardConnections, TIMEOUT_CHECK_MS } from "../../../shared/http/guard-connections.js";
import { createTokenGuard } from "../../../shared/token-guard.js";
import { isTopic } from "../../../shared/transport/topic-filter.js";
import { Listener } from "../../http/listener.js";
import { refuse, retryAfter } from "../../http/reply.js";
import type { HttpBinding } from "./binding.js";
import { LineSplitter } from "./lines.js";
import { type BoundSource, MESSAGE_BYTES_MAX, type Source, type SourceContext } from "./port.js";
import { SourceQueue } from "./queue.js";

/** Of one request: many messages as lines. */
const BODY_BYTES_MAX = 1024 * 1024;
/** A line costs memory of its own. */
const LINES_MAX = 10_000;
const TOPIC_CHARS_MAX = 512;
const HEADER_BYTES_MAX = 8 * 1024;
const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;
/** For a sender that found the queue full: it empties as fast as the disk is. */
const QUEUE_RETRY_MS = 1_000;

/** Listens at the address that the sources share, as soon as it is free. */
export async function openHttp(
  sources: readonly BoundSource<HttpBinding>[],
  context: SourceContext,
): Promise<HttpSource> {
  const source = new HttpSource(sources, context);
  await source.listen();
  return source;
}

/** One listening socket and the sources behind its paths. */
export class HttpSource implements Source {
  readonly #sources: readonly BoundSource<HttpBinding>[];
  readonly #context: SourceContext;
  readonly #end = new AbortController();
  readonly #listener: Listener;

  constructor(sources: readonly BoundSource<HttpBinding>[], context: SourceContext) {
    this.#sources = sources;
    this.#context = context;
    const { host, port } = sources[0]!.binding;
    const paths = sources.map(({ binding }) => binding.path);
    const createApp = () => this.#createApp();
    this.#listener = new Listener({ ...context, host, port, paths, createApp, what: "pushed telemetry" });
  }

  get isConnected(): boolean {
    return this.address !== undefined;
  }

  /** Where it listens, undefined while it does not. */
  get address(): AddressInfo | undefined {
    return this.#listener.address;
  }

  /** Resolves after the first attempt; others follow by themselves. */
  listen(): Promise<void> {
    return this.#listener.listen();
  }

  close(): Promise<void> {
    this.#end.abort();
    return this.#listener.close();
  }

  #createApp(): FastifyInstance {
    const app = fastify({
      logger: false,
      bodyLimit: BODY_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      forceCloseConnections: true,
      http: { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
      frameworkErrors: (error, _, reply) => void this.#answerError(reply, error),
    });
    const { log } = this.#context;
    guardConnections(app.server, CONNECTIONS_MAX, (reason) => log.note("http", `http-${reason}`, {}));
    app.removeAllContentTypeParsers();
    // What a body means is the source's decoder's to say.
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    app.setErrorHandler((error: FastifyError, _, reply) => this.#answerError(reply, error));
    app.setNotFoundHandler(({ method, url }, reply) => {
      const message = `nothing is taken at ${method} ${url.slice(0, 200)}`;
      this.#context.log.note("http", "http-not-found", { method, url: url.slice(0, 200) });
      return refuse(reply, 404, "not-found", message);
    });
    for (const source of this.#sources) this.#addRoute(app, source);
    return app;
  }

  #addRoute(app: FastifyInstance, source: BoundSource<HttpBinding>): void {
    const { path, limits, token } = source.binding;
    const queue = new SourceQueue({ ...this.#context, limits, signal: this.#end.signal });
    const isAllowed = createTokenGuard(token);
    const take = (request: FastifyRequest, reply: FastifyReply) => this.#take(source, queue, request, reply);
    const options = {
      // Before the body is read: a stranger's is not.
      onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
        if (isAllowed(request.headers.authorization)) return;
        this.#context.log.note(source.name, "unauthorized", { path });
        reply.header("www-authenticate", "Bearer");
        return refuse(reply, 401, "unauthorized", `${path} takes telemetry from who has its token`);
      },
    };
    app.post(path, options, take);
    app.post(`${path === "/" ? "" : path}/*`, options, take);
  }

  async #take(
    source: BoundSource<HttpBinding>,
    queue: SourceQueue,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { log, clock } = this.#context;
    const say = (code: number, reason: string, message: string, count = 1) => {
      log.note(source.name, `http-${reason}`, { path: source.binding.path }, count);
      return refuse(reply, code, reason, message);
    };
    const topic = topicOf(source, request.url);
    if (topic === undefined) return say(400, "bad-path", "the path below the source's is no topic");
    const body = await bodyOf(request);
    if (!body.ok) return say(body.code, REASONS[body.code], body.message);
    const split = messagesIn(body.body, request.headers["content-type"] ?? "");
    if (!split.ok) return say(split.code, split.reason, split.message);
    const { messages, bytes } = split;
    if (!queue.hasRoom(bytes, messages.length)) {
      retryAfter(reply, QUEUE_RETRY_MS);
      return say(429, "queue-full", describeQueue(source.binding), messages.length);
    }
    const waitMs = queue.claim(messages.length);
    if (waitMs > 0) {
      retryAfter(reply, waitMs);
      return say(429, "rate", describeRate(source.binding), messages.length);
    }
    const arrivalMs = clock.now();
    const safe = await Promise.all(
      messages.map((payload) => queue.postClaimed({ source: source.name, topic, payload, arrivalMs })),
    );
    if (safe.includes(false)) return say(503, "closing", "the device is stopping; send it again");
    return reply.code(202).send({ messages: messages.length });
  }

  /** What the framework refuses before a source is asked. */
  async #answerError(
    reply: FastifyReply,
    { statusCode: code = 500, message }: FastifyError,
  ): Promise<FastifyReply> {
    const isTooLarge = code === 413;
    if (isTooLarge) await discardBody(reply.request.raw);
    const reason = isTooLarge ? "too-large" : code < 500 ? "bad-request" : "internal";
    this.#context.log.note("http", `http-${reason}`, { error: message });
    const text = isTooLarge ? `the body is larger than ${BODY_BYTES_MAX} bytes` : message;
    return refuse(reply, code, reason, text);
  }
}

type Split =
  | { readonly ok: true; readonly messages: readonly Uint8Array[]; readonly bytes: number }
  | { readonly ok: false; readonly code: number; readonly reason: string; readonly message: string };

const REASONS = { 400: "bad-encoding", 413: "too-large", 415: "bad-encoding" } as const;

async function bodyOf({ body, headers }: FastifyRequest): Promise<DecodedBody> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return decodeBody(bytes, headers["content-encoding"], BODY_BYTES_MAX);
}

/** One message, or one per line where the sender says that its body is lines. */
function messagesIn(body: Uint8Array, contentType: string): Split {
  if (body.length === 0) {
    return { ok: false, code: 400, reason: "empty", message: "a request without a body says nothing" };
  }
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  const messages = LINE_TYPES.includes(type) ? linesOf(body) : [body];
  const longest = messages.reduce((longest, { length }) => Math.max(longest, length), 0);
  if (longest > MESSAGE_BYTES_MAX) {
    const message = `a message of ${longest} bytes, the limit is ${MESSAGE_BYTES_MAX}`;
    return { ok: false, code: 413, reason: "too-large", message };
  }
  if (messages.length > LINES_MAX) {
    const message = `${messages.length} lines, the limit is ${LINES_MAX}`;
    return { ok: false, code: 413, reason: "too-many-lines", message };
  }
  if (type !== JSON_TYPE && type !== NDJSON_TYPE) return { ok: true, messages, bytes: body.length };
  const bad = messages.findIndex((message) => !isJson(message));
  if (bad < 0) return { ok: true, messages, bytes: body.length };
  const what = messages.length > 1 ? `line ${bad + 1} is` : "the body is";
  return { ok: false, code: 400, reason: "not-json", message: `${what} no JSON` };
}

const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";
const LINE_TYPES: readonly string[] = [NDJSON_TYPE, "application/ndjson", "application/jsonl"];

function linesOf(body: Uint8Array): readonly Uint8Array[] {
  const splitter = new LineSplitter({ lineBytesMax: BODY_BYTES_MAX });
  return [...splitter.push(body), ...splitter.end()].map(({ bytes }) => bytes);
}

function isJson(message: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(message.buffer, message.byteOffset, message.length).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** The owner's topic, or the path, and what the sender has put below it. */
function topicOf({ binding: { path, topic } }: BoundSource<HttpBinding>, url: string): string | undefined {
  const rest = url
    .split("?", 1)[0]!
    .slice(path.length)
    .replace(/^\/|\/$/g, "");
  const base = topic ?? path.slice(1);
  const text = decode([base, rest].filter((part) => part !== "").join("/"));
  return text !== undefined && text.length <= TOPIC_CHARS_MAX && isTopic(text) ? text : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function describeQueue({ limits }: HttpBinding): string {
  return `too much is on its way to the pipeline: the limit is ${limits.messages} messages or ${limits.bytes} bytes`;
}

function describeRate({ limits }: HttpBinding): string {
  return `too fast: the limit is ${limits.rate} messages per second, ${limits.burst} at once`;
}
