// Serving as requests and replies, whatever carries them.

import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { decodeBody } from "../http/content-encoding.js";
import { Batcher, type BatchLimits } from "./batcher.js";
import { readInferBody } from "./body.js";
import { readInfer, writeInfer } from "./infer.js";
import { describeModel, describeServing } from "./metadata.js";
import { readPredict, readPredictBody, writePredict } from "./predict.js";
import { answered, failed, malformed, type Outcome, type Problem } from "./problem.js";
import type { ServedModel, ServedModels, ServedVersion } from "./served-model.js";

/** A request, its path taken apart. */
export interface ServingRequest {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly body?: Uint8Array | undefined;
  /** Of the header Content-Encoding. */
  readonly encoding?: string | undefined;
  /** Of the header Inference-Header-Content-Length. */
  readonly jsonLength?: string | undefined;
}

/** Of one request, unpacked: 1,024 rows of 256 float32 columns. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** What is said: JSON, and raw tensors behind it. */
export interface ServingReply {
  readonly code: number;
  readonly json: object;
  readonly raw?: readonly Uint8Array[];
  readonly retryMs?: number | undefined;
}

export interface ServingOptions {
  readonly models: ServedModels;
  readonly clock: Clock;
  /** What is refused counts as `inference.refused.<reason>`. */
  readonly counters: Counters;
  readonly limits?: Partial<BatchLimits>;
}

/** A request's model and version. */
interface Target {
  readonly served: ServedModel;
  readonly version: ServedVersion;
}

/** Answers requests. Never rejects on what a caller sends. */
export class ServingApi {
  readonly #options: ServingOptions;
  #batcher: { readonly of: ServedModel; readonly batcher: Batcher } | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  async metadata(): Promise<ServingReply> {
    return ok(describeServing(this.#options.models.version));
  }

  async live(): Promise<ServingReply> {
    return ok({ live: true });
  }

  /** 400 when not: any client of the protocol takes a 4xx for "false". */
  async ready(): Promise<ServingReply> {
    const reason = this.#options.models.notReady();
    if (reason === undefined) return ok({ ready: true, live: true });
    return { code: 400, json: { ready: false, live: true, reason } };
  }

  async model(request: ServingRequest): Promise<ServingReply> {
    const found = await this.#find(request);
    if (!found.ok) return this.#refuse(found.problem);
    const { served, number } = found.value;
    if (number !== undefined && (await served.load(number)) === undefined) {
      return this.#refuse(noVersion(served, number));
    }
    return ok(describeModel(served, number));
  }

  async modelReady(request: ServingRequest): Promise<ServingReply> {
    const name = request.model ?? "";
    const target = await this.#target(request);
    if (target.ok) return ok({ name, ready: true });
    return { code: 400, json: { name, ready: false, reason: target.problem.message } };
  }

  async infer(request: ServingRequest): Promise<ServingReply> {
    this.#options.counters.add("inference.requests");
    const body = await unpack(request);
    if (!body.ok) return this.#refuse(body.problem);
    const read = readInferBody(body.value, request.jsonLength);
    if (!read.ok) return this.#refuse(read.problem);
    const target = await this.#target(request);
    if (!target.ok) return this.#refuse(target.problem);
    const { served, version } = target.value;
    const features = readInfer(read.value, served);
    if (!features.ok) return this.#refuse(features.problem);
    const { rows, values } = features.value;
    const scored = await this.#batcherOf(served).score({ version, features: values, rows });
    if (!scored.ok) return this.#refuse(scored.problem);
    const made = { version: version.version, rows, scores: scored.value };
    const written = writeInfer(read.value.request, served, made);
    if (!written.ok) return this.#refuse(written.problem);
    this.#options.counters.add("inference.rows", rows);
    return { code: 200, ...written.value };
  }

  async predict(request: ServingRequest): Promise<ServingReply> {
    this.#options.counters.add("inference.requests");
    const body = await unpack(request);
    if (!body.ok) return this.#refuse(body.problem);
    const read = readPredictBody(body.value);
    if (!read.ok) return this.#refuse(read.problem);
    const number = read.value.version;
    const target = await this.#target({ version: number === undefined ? undefined : String(number) });
    if (!target.ok) return this.#refuse(target.problem);
    const { served, version } = target.value;
    const rows = readPredict(read.value, served);
    if (!rows.ok) return this.#refuse(rows.problem);
    const { rows: count, values } = rows.value;
    const scored = await this.#batcherOf(served).score({ version, features: values, rows: count });
    if (!scored.ok) return this.#refuse(scored.problem);
    const { clock, counters } = this.#options;
    const written = writePredict(read.value, {
      ...{ task: served.name, version: version.version, rows: rows.value, scores: scored.value },
      nowMs: clock.now(),
    });
    if (!written.ok) return this.#refuse(written.problem);
    counters.add("inference.rows", count);
    return ok(written.value);
  }

  /** The model of that name, or the only one where no name is given; and the number asked for, if any. */
  async #find({
    model: name,
    version,
  }: ServingRequest): Promise<
    Outcome<{ readonly served: ServedModel; readonly number: number | undefined }>
  > {
    const served = await this.#options.models.model();
    if (served === undefined) return notReady(this.#options.models.notReady() ?? "there is no model yet");
    if (name !== undefined && name !== served.name) {
      return failed(notFound(`there is no model "${name}"; the model here is "${served.name}"`));
    }
    if (version === undefined) return answered({ served, number: undefined });
    if (!/^\d{1,15}$/.test(version)) return failed(notFound(`a version is a number, not "${version}"`));
    return answered({ served, number: Number(version) });
  }

  async #target(request: ServingRequest): Promise<Outcome<Target>> {
    const found = await this.#find(request);
    if (!found.ok) return found;
    const { served, number } = found.value;
    const wanted = number ?? served.serving();
    if (wanted === undefined) return notReady(`${served.name} has no version to serve yet`);
    const version = await served.load(wanted);
    return version === undefined ? failed(noVersion(served, wanted)) : answered({ served, version });
  }

  #batcherOf(served: ServedModel): Batcher {
    if (this.#batcher?.of !== served) {
      this.#batcher = { of: served, batcher: new Batcher({ ...this.#options, served }) };
    }
    return this.#batcher.batcher;
  }

  #refuse({ code, reason, message, retryMs }: Problem): ServingReply {
    this.#options.counters.add(`inference.refused.${reason}`);
    return { code, json: { error: message }, retryMs };
  }
}

function ok(json: object): ServingReply {
  return { code: 200, json };
}

async function unpack({ body = new Uint8Array(), encoding }: ServingRequest): Promise<Outcome<Uint8Array>> {
  const decoded = await decodeBody(body, encoding, BODY_BYTES_MAX);
  if (decoded.ok) return answered(decoded.body);
  const { code, message } = decoded;
  if (code === 400) return malformed(message);
  return failed({ code, reason: code === 413 ? "too-large" : "unsupported-encoding", message });
}

const RETRY_MS = 5_000;

function notReady(message: string) {
  return failed({ code: 503, reason: "not-ready", message, retryMs: RETRY_MS });
}

function notFound(message: string): Problem {
  return { code: 404, reason: "not-found", message };
}

function noVersion(served: ServedModel, number: number): Problem {
  const known = served.versions().slice(0, 5).join(", ");
  return notFound(
    `${served.name} has no version ${number} here; it has ${known === "" ? "none yet" : known}`,
  );
}
