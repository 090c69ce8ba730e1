// A real server over real SQLite and the memory broker, with devices moved by hand.

import { createHash } from "node:crypto";
import type { ServerFact } from "../../server/fact.js";
import type { ServerLimits } from "../../server/options.js";
import { createServer, type Server } from "../../server/server.js";
import { serverMigrations } from "../../server/storage.js";
import { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker, type MemoryBroker } from "../../shared/transport/memory.js";
import type { MemoryLink } from "../../shared/transport/memory-link.js";
import type { MemoryUplink } from "../../shared/transport/memory-uplink.js";
import { splitChunks } from "../../shared/wire/chunk.js";
import {
  type DownMessage,
  decodeMessage,
  downSchemas,
  encodeMessage,
  type Manifest,
  type Offer,
  type Receipt,
  type Release,
  releaseSchema,
  type UpMessage,
} from "../../shared/wire/message.js";
import { type KeyPair, keysFromSeed, signUpdate } from "../../shared/wire/signature.js";
import {
  type DownKind,
  deviceSubscriptions,
  parseTopic,
  topics,
  type UpKind,
} from "../../shared/wire/topic.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";
import { ManualClock } from "./manual-clock.js";

/** Two columns and a tiny network; a test adds to the features, and its own parts below. */
function labTask({
  yaml = "",
  hidden = 3,
  features = "scale: none",
  output = "regression",
}: LabOptions): string {
  return `task: lab
sources:
  air: {}
features:
  from: air
  list: [{ copy: [a, b] }]
  ${features}
label: { field: a }
model: { dense: [${hidden}], output: ${output} }
${yaml}`;
}

export interface LabOptions {
  readonly runtime: ModelRuntime;
  /** YAML below the task's own. */
  readonly yaml?: string;
  /** Units of the hidden layer. */
  readonly hidden?: number;
  /** The model's output. */
  readonly output?: string;
  /** YAML within its features. */
  readonly features?: string;
  readonly maxPages?: number;
  readonly limits?: Partial<ServerLimits>;
  readonly database?: Database;
  /** Default: `serverKeys`. */
  readonly keys?: KeyPair;
}

/** The server's keys. */
export const serverKeys: KeyPair = keysFromSeed(new Uint8Array(32).fill(9));

/** Everything around one federation. */
export class ServerLab {
  readonly clock = new ManualClock();
  readonly broker: MemoryBroker = createMemoryBroker({ clock: this.clock });
  readonly facts: ServerFact[] = [];
  readonly task: LoadedTask;
  readonly database: Database;
  readonly #options: LabOptions;
  readonly #devices = new Map<DeviceId, HandDevice>();
  #server: Server | undefined;
  #uplink: MemoryUplink | undefined;

  constructor(options: LabOptions) {
    this.#options = options;
    this.task = parseTask(labTask(options));
    this.database =
      options.database ??
      openSqlite({
        path: ":memory:",
        durability: "full",
        migrations: serverMigrations,
        ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }),
      });
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error("the server has not been started");
    return this.#server;
  }

  /** Starts a server process on the same database. */
  async start(): Promise<Server> {
    this.#uplink = this.broker.uplink();
    this.#server = await createServer({
      task: this.task,
      database: this.database,
      uplink: this.#uplink,
      clock: this.clock,
      seed: "lab",
      keys: this.#options.keys ?? serverKeys,
      devices: { publicKey: (device) => this.#devices.get(device)?.keys.publicKey },
      runtime: this.#options.runtime,
      logger: silentLogger,
      observe: (fact) => this.facts.push(fact),
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
    });
    await this.#server.start();
    await this.clock.turn();
    return this.#server;
  }

  /** The process dies. */
  async kill(): Promise<void> {
    this.#uplink?.abandon();
    await this.server.stop();
  }

  /** A device that the server knows, not connected. */
  enrol(name: string): HandDevice {
    const device = new HandDevice(this, name as DeviceId);
    this.#devices.set(device.id, device);
    return device;
  }

  /** A device, enrolled and connected. */
  async device(name: string, options: { readonly isEnrolled?: boolean } = {}): Promise<HandDevice> {
    const { isEnrolled = true } = options;
    const device = isEnrolled ? this.enrol(name) : new HandDevice(this, name as DeviceId);
    await device.connect();
    return device;
  }

  /** Lets work that takes no time come to its end, such as a fold. */
  async settle(condition: () => boolean): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      if (turns > 1000) throw new Error(`not so within 1000 turns: ${condition}`);
      await this.clock.turn();
    }
  }

  /** Facts of one type, in order. */
  told<Type extends ServerFact["type"]>(type: Type): Extract<ServerFact, { type: Type }>[] {
    return this.facts.filter((fact): fact is Extract<ServerFact, { type: Type }> => fact.type === type);
  }
}

/** What a test changes about an update. */
export interface UpdateChanges {
  readonly delta?: Float32Array;
  readonly examples?: number;
  readonly header?: Partial<UpdateHeader>;
  readonly announced?: Partial<UpMessage<"begin">>;
  readonly keys?: KeyPair;
}

/** An update, ready to be sent. */
export interface HandUpdate {
  readonly begin: UpMessage<"begin">;
  readonly commit: UpMessage<"commit">;
  readonly frame: Uint8Array;
}

type Received = {
  [Kind in DownKind]: { readonly kind: Kind; readonly message: DownMessage<Kind> };
}[DownKind];

/** A device that does only what it is told. */
export class HandDevice {
  readonly id: DeviceId;
  readonly keys: KeyPair;
  readonly received: Received[] = [];
  readonly counters = new Counters();
  release: Release | undefined;

  get stable(): Manifest | undefined {
    return this.release?.stable;
  }

  readonly #lab: ServerLab;
  readonly #link: MemoryLink;

  constructor(lab: ServerLab, id: DeviceId) {
    this.id = id;
    this.#lab = lab;
    this.#link = lab.broker.link();
    this.keys = keysFromSeed(createHash("sha256").update(id).digest());
  }

  async connect(): Promise<void> {
    const task = this.#lab.task.task.task;
    let isConnected = false;
    this.#link.open({
      clientId: this.id,
      subscriptions: deviceSubscriptions(task, this.id),
      onConnected: () => {
        isConnected = true;
      },
      onDisconnected: () => undefined,
      onMessage: ({ topic, payload }) => this.#receive(topic, payload),
    });
    await this.#lab.clock.until(() => isConnected);
  }

  /** Sends; resolves to whether the broker acknowledged it. */
  async send<Kind extends UpKind>(kind: Kind, message: UpMessage<Kind>): Promise<boolean> {
    return this.publish(
      topics.up(this.#lab.task.task.task, this.id, kind),
      encodeMessage(message as UpMessage),
    );
  }

  async publish(topic: string, payload: Uint8Array): Promise<boolean> {
    let outcome: boolean | undefined;
    this.#link.publish(topic, payload).then(
      () => {
        outcome = true;
      },
      () => {
        outcome = false;
      },
    );
    await this.#lab.clock.until(() => outcome !== undefined);
    return outcome === true;
  }

  /** Says hello and waits for the answer. */
  async hello(changes: Partial<UpMessage<"hello">> = {}): Promise<Received> {
    this.received.length = 0;
    await this.send("hello", {
      v: 1,
      taskHash: this.#lab.task.taskHash,
      stable: null,
      eligible: true,
      reason: null,
      examples: { train: 10, validation: 5 },
      pending: null,
      labels: {},
      ...changes,
    });
    await this.#lab.clock.until(() => this.received.some(({ kind }) => kind === "offer" || kind === "wait"));
    return this.received.find(({ kind }) => kind === "offer" || kind === "wait")!;
  }

  /** The newest message of `kind`, waiting for one if there is none. Forgets all messages. */
  async next<Kind extends DownKind>(kind: Kind): Promise<DownMessage<Kind>> {
    await this.#lab.clock.until(() => this.received.some((each) => each.kind === kind));
    const found = this.received.findLast((each) => each.kind === kind)!;
    this.received.length = 0;
    return found.message as DownMessage<Kind>;
  }

  /** Says hello and expects work. */
  async offered(): Promise<Offer> {
    const answer = await this.hello();
    if (answer.kind !== "offer") throw new Error(`${this.id} was answered ${JSON.stringify(answer.message)}`);
    return answer.message;
  }

  /** An update for `offer`. */
  async update(offer: Offer, changes: UpdateChanges = {}): Promise<HandUpdate> {
    const { keys = this.keys, examples = 10 } = changes;
    const manifest = offer.manifest;
    const count =
      manifest === null ? 0 : ((await this.#lab.server.model(manifest.version))?.params.length ?? 0);
    const delta = offer.kind === "train" ? (changes.delta ?? new Float32Array(count).fill(0.5)) : undefined;
    const header: UpdateHeader = {
      task: this.#lab.task.task.task,
      device: this.id,
      round: offer.round,
      kind: offer.kind,
      baseVersion: manifest?.version ?? 0,
      modelSignature: manifest?.modelSignature ?? null,
      examples,
      train:
        delta === undefined
          ? null
          : {
              codec: "float32",
              count: delta.length,
              fingerprint: manifest?.fingerprint ?? "",
              steps: 1,
              loss: 0.5,
            },
      evaluate: offer.kind === "evaluate" ? scoreOf(examples, 1) : null,
      fit: offer.kind === "fit" ? statistics(examples, 3) : null,
      ...changes.header,
    };
    return this.announce(offer, encodeUpdate(header, delta), { ...changes, keys, examples });
  }

  /** Messages that send `frame`, whatever it is. */
  announce(offer: Offer, frame: Uint8Array, changes: UpdateChanges = {}): HandUpdate {
    const { keys = this.keys, examples = 10 } = changes;
    const task = this.#lab.task.task.task;
    const sha256 = sha256Hex(frame);
    const { round, kind } = offer;
    const begin: UpMessage<"begin"> = {
      v: 1,
      updateId: updateIdOf({ task, device: this.id, round, sha256 }),
      round,
      kind,
      baseVersion: offer.manifest?.version ?? 0,
      bytes: frame.length,
      sha256,
      examples,
      ...changes.announced,
    };
    const { updateId } = begin;
    const claim = { task, device: this.id, round: begin.round, updateId, sha256: begin.sha256 };
    const signature = signUpdate(keys.privateKey, claim);
    const commit = { v: 1 as const, updateId, round: begin.round, sha256: begin.sha256, signature };
    return { begin, commit, frame };
  }

  /** Announces, sends what is missing and commits; resolves to the receipt. */
  async upload(update: HandUpdate): Promise<Receipt> {
    const { begin, commit, frame } = update;
    const chunkBytes = Math.ceil(frame.length / 8);
    this.received.length = 0;
    await this.send("begin", begin);
    await this.#lab.clock.until(() =>
      this.received.some(({ kind }) => kind === "missing" || kind === "receipt"),
    );
    if (this.received.some(({ kind }) => kind === "receipt")) return this.next("receipt");
    const { ranges } = await this.next("missing");
    for (const [offset, length] of splitChunks(frame.length, chunkBytes, ranges)) {
      const data = frame.slice(offset, offset + length);
      await this.send("chunk", { v: 1, updateId: begin.updateId, offset, data });
    }
    await this.send("commit", commit);
    return this.next("receipt");
  }

  /** Takes the offer, delivers, and resolves to the receipt. */
  async contribute(changes: UpdateChanges = {}): Promise<Receipt> {
    return this.upload(await this.update(await this.offered(), changes));
  }

  #receive(topic: string, payload: Uint8Array): void {
    const parsed = parseTopic(topic);
    if (parsed?.direction === "release") this.release = decodeMessage(releaseSchema, payload);
    if (parsed?.direction !== "down") return;
    const message = decodeMessage(downSchemas[parsed.kind], payload);
    if (message === undefined) throw new Error(`undecodable ${parsed.kind}`);
    this.received.push({ kind: parsed.kind, message } as Received);
  }
}

/** Sums of `rows` rows, each off by `error`. */
export function scoreOf(rows: number, error: number): NonNullable<UpdateHeader["evaluate"]> {
  return {
    rows,
    squaredError: rows * error ** 2,
    absoluteError: rows * Math.abs(error),
    loss: rows * error ** 2,
    correct: 0,
  };
}

function statistics(count: number, columns: number): NonNullable<UpdateHeader["fit"]> {
  const all = (value: number) => Array.from({ length: columns }, () => value);
  return { count, mean: all(2), m2: all(4 * count), min: all(0), max: all(4) };
}
