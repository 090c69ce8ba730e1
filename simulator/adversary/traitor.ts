// An enrolled device that has been taken over: its key is good, its updates are not.

import { unreachable } from "../../shared/assert.js";
import { emptyMetricSums } from "../../shared/model/metric.js";
import { QuantileSketch } from "../../shared/pipeline/quantile.js";
import { summarise } from "../../shared/pipeline/quantile-summary.js";
import { quantileNeeds } from "../../shared/pipeline/scaler.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import {
  decodeMessage,
  downSchemas,
  encodeMessage,
  type Offer,
  type UpMessage,
} from "../../shared/wire/message.js";
import { type KeyPair, signUpdate } from "../../shared/wire/signature.js";
import { deviceSubscriptions, topics, type UpKind } from "../../shared/wire/topic.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";
import { pick } from "../pick.js";
import type { AdversaryOptions } from "./adversary.js";

/** What a traitor knows. */
export interface TraitorOptions extends AdversaryOptions {
  readonly loaded: LoadedTask;
  readonly keys: KeyPair;
  /** Floats of the params, and feature columns without the label. */
  readonly params: number;
  readonly columns: number;
}

const HELLO_MS = 15_000;
const ASK_AGAIN_MS = 3_000;

/** What it does with an offer. */
const tricks = [
  "nan",
  "zero-examples",
  "forged",
  "replay",
  "twins",
  "cut-short",
  "mislabelled",
  "vanish",
] as const;
type Trick = (typeof tricks)[number];

/** Starts it. It goes on while it is active. */
export function releaseTraitor(options: TraitorOptions): void {
  const traitor = new Traitor(options);
  traitor.start();
}

interface Claim {
  readonly round: number;
  readonly kind: Offer["kind"];
  readonly baseVersion: number;
  readonly examples: number;
  readonly frame: Uint8Array;
}

class Traitor {
  readonly #options: TraitorOptions;
  #answered = 0;
  #before: Claim | undefined;

  constructor(options: TraitorOptions) {
    this.#options = options;
  }

  start(): void {
    const { link, id, loaded } = this.#options;
    const { task } = loaded.task;
    link.open({
      clientId: id,
      subscriptions: deviceSubscriptions(task, id),
      onConnected: () => this.#sayHello(),
      onDisconnected: () => undefined,
      onMessage: ({ topic, payload }) => {
        const offer = decodeMessage(downSchemas.offer, payload);
        if (topic === topics.down(task, id, "offer") && offer !== undefined) this.#hear(offer);
      },
    });
  }

  #sayHello(): void {
    const { clock, loaded, isActive } = this.#options;
    if (!isActive()) return;
    this.#send("hello", {
      ...{
        v: 1,
        taskHash: loaded.taskHash,
        stable: null,
        eligible: true,
        reason: null,
        pending: null,
        labels: {},
      },
      examples: { train: 500, validation: 100 },
    });
    clock.after(HELLO_MS, () => this.#sayHello());
  }

  #hear(offer: Offer): void {
    const { random, counters, isActive } = this.#options;
    if (!isActive() || offer.round <= this.#answered) return;
    this.#answered = offer.round;
    const trick = pick(tricks, random);
    if (trick === "replay" && this.#before === undefined) return;
    counters.add(`traitor.${trick}`);
    this.#play(trick, offer);
  }

  #play(trick: Trick, offer: Offer): void {
    const { random } = this.#options;
    const good = () => this.#claim(offer, 0.02 * random.uniform());
    switch (trick) {
      case "nan":
        this.#upload(this.#claim(offer, Number.NaN));
        break;
      case "zero-examples":
        this.#upload(this.#claim(offer, 0.01, 0));
        break;
      case "forged":
        this.#upload(good(), { isForged: true });
        break;
      case "replay":
        if (this.#before !== undefined) this.#upload({ ...good(), frame: this.#before.frame });
        break;
      case "twins":
        this.#before = good();
        this.#upload(this.#before);
        this.#upload(good());
        break;
      case "cut-short": {
        const { frame, ...claim } = good();
        this.#upload({ ...claim, frame: frame.subarray(0, frame.length - 5) });
        break;
      }
      case "mislabelled":
        this.#upload({ ...good(), baseVersion: 77, examples: 1e9 });
        break;
      case "vanish":
        break;
      default:
        unreachable(trick);
    }
  }

  #claim(offer: Offer, value: number, examples = 50): Claim {
    const { round, kind, manifest } = offer;
    const baseVersion = manifest?.version ?? 0;
    const { header, delta } = contentOf(offer, { ...this.#options, value, examples });
    return { round, kind, baseVersion, examples, frame: encodeUpdate(header, delta) };
  }

  /** Says everything at once, and again a little later, without listening. */
  #upload(claim: Claim, { isForged = false }: { readonly isForged?: boolean } = {}, times = 2): void {
    const { id, keys, loaded, clock, random, isActive } = this.#options;
    const { frame, ...announced } = claim;
    const { round } = claim;
    const sha256 = sha256Hex(frame);
    const identity = { task: loaded.task.task, device: id, round, sha256 };
    const updateId = updateIdOf(identity);
    const signature = signUpdate(keys.privateKey, { ...identity, updateId });
    if (isForged) signature[3] = signature[3]! ^ 1;
    this.#send("begin", { v: 1, updateId, ...announced, bytes: frame.length, sha256 });
    clock.after(200, () => this.#send("chunk", { v: 1, updateId, offset: 0, data: frame }));
    clock.after(800, () => this.#send("commit", { v: 1, updateId, round, sha256, signature }));
    if (times === 1 || !isActive()) return;
    clock.after(ASK_AGAIN_MS + random.integer(2000), () => this.#upload(claim, { isForged }, times - 1));
  }

  #send<Kind extends UpKind>(kind: Kind, message: UpMessage<Kind>): void {
    const { link, id, task } = this.#options;
    link.publish(topics.up(task, id, kind), encodeMessage(message)).catch(() => undefined);
  }
}

// A column that always had the same value, as far as its quantiles tell.
function summariesOf({ task }: LoadedTask, columns: number, value: number) {
  const needs = quantileNeeds(task);
  if (!needs.features && !needs.label) return {};
  const sketch = new QuantileSketch();
  sketch.add(value);
  const summary = (isNeeded: boolean) => (isNeeded ? summarise(sketch) : new Uint8Array());
  const ofFeatures = Array.from({ length: columns }, () => summary(needs.features));
  return { quantiles: [...ofFeatures, summary(needs.label)] };
}

/** A frame's content that is right in every respect but its numbers. */
function contentOf(
  { round, kind, manifest }: Offer,
  options: {
    readonly loaded: LoadedTask;
    readonly id: UpdateHeader["device"];
    readonly params: number;
    readonly columns: number;
    readonly value: number;
    readonly examples: number;
  },
): { readonly header: UpdateHeader; readonly delta: Float32Array | undefined } {
  const { loaded, id, params, columns, value, examples } = options;
  const isTrain = kind === "train";
  // A single lie of this kind would do: the mean trusts its devices. So where it lies, it lies so that it shows.
  const column = (fitting: number) => new Array<number>(columns + 1).fill(fitting + value);
  const train = {
    ...{ codec: "float32", count: params, fingerprint: manifest?.fingerprint ?? "", steps: 1, loss: 1 },
  };
  const decisions = { truePositives: 0, falsePositives: examples, falseNegatives: 0 };
  const allWrong = loaded.task.model.output.kind === "binary" ? { confusion: decisions } : {};
  const header: UpdateHeader = {
    ...{ task: loaded.task.task, device: id, round, kind, examples },
    baseVersion: manifest?.version ?? 0,
    modelSignature: manifest?.modelSignature ?? null,
    train: isTrain ? train : null,
    evaluate:
      kind === "evaluate"
        ? {
            ...emptyMetricSums,
            rows: examples,
            squaredError: value,
            absoluteError: value,
            loss: value,
            ...allWrong,
          }
        : null,
    fit:
      kind === "fit"
        ? {
            ...{ count: examples, mean: column(2), m2: column(9 * examples) },
            ...{ min: column(-4), max: column(10) },
            ...summariesOf(loaded, columns, 2 + value),
          }
        : null,
  };
  return { header, delta: isTrain ? new Float32Array(params).fill(value) : undefined };
}
