// Telemetry over MQTT: one client per broker, apart from the uplink, for all of the task's sources found there. A
// message is acknowledged when it is safe, so a broker that counts what is unacknowledged slows its publishers down
// instead of filling our memory. What is published with QoS 0 has no such brake: too much of it is dropped.

import { createHash } from "node:crypto";
import { type MqttSession, openMqttSession } from "../../../shared/transport/mqtt-session.js";
import type { Delivery } from "../../../shared/transport/port.js";
import { matcherOf, type TopicMatcher } from "../../../shared/transport/topic-filter.js";
import type { Reply } from "../decoders/port.js";
import { Replies } from "../replies.js";
import { defaultSourceLimits, type MqttBinding, type SourceLimits } from "./binding.js";
import type { BoundSource, Source, SourceContext, SourceKind } from "./port.js";
import { SourceQueue } from "./queue.js";

/** `broker`. */
export const mqttKind: SourceKind<MqttBinding> = {
  doc: "Messages on an MQTT broker, by the task's topic filter or the owner's.",
  example: `sources:
  pump: { broker: "mqtt://localhost:1883", username: pump-1, password: secret }
  meter: { broker: "mqtt://192.168.1.9", topic: tele/+/SENSOR, limit: { rate: 50/s } }
`,
  keyOf: ({ name, binding: { endpoint, isPersistent, limits } }) =>
    // Sources share a connection unless one has limits of its own, by which it would slow the others down.
    JSON.stringify([
      endpoint.url,
      endpoint.username,
      endpoint.password,
      isPersistent,
      isDefault(limits) ? "" : name,
    ]),
  open: async (sources, context) => new MqttSource(sources, context),
};

interface Lane {
  readonly name: string;
  readonly matches: TopicMatcher;
  readonly queue: SourceQueue;
}

/** Subscribed from its making until closed, through every loss of connection. */
class MqttSource implements Source {
  readonly #context: SourceContext;
  readonly #filters: readonly string[];
  readonly #lanes: readonly Lane[];
  readonly #session: MqttSession;
  readonly #replies: Replies;
  readonly #end = new AbortController();

  constructor(sources: readonly BoundSource<MqttBinding>[], context: SourceContext) {
    const { endpoint, isPersistent, limits } = sources[0]!.binding;
    const clientId = clientIdOf(sources[0]!, context);
    this.#context = context;
    this.#filters = [...new Set(sources.map(({ filter }) => filter))];
    this.#lanes = sources.map((source) => ({
      name: source.name,
      matches: matcherOf(source.filter),
      queue: new SourceQueue({ ...context, limits, signal: this.#end.signal }),
    }));
    this.#session = openMqttSession({
      ...context,
      ...{ endpoint, clientId, isPersistent },
      receive: { messages: limits.messages, bytes: limits.bytes },
      subscriptions: this.#filters,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onMessage: (message) => this.#take(message),
    });
    this.#replies = new Replies({
      ...context,
      publish: (topic, payload) => this.#session.publish(topic, payload),
    });
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  reply(reply: Reply): void {
    void this.#replies.send(reply);
  }

  async release(next: readonly BoundSource[]): Promise<void> {
    const wanted = new Set(next.map(({ filter }) => filter));
    await this.#session.unsubscribe(this.#filters.filter((filter) => !wanted.has(filter)));
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#session.close();
  }

  /** Resolves when it may be acknowledged; never rejects. */
  async #take({ topic, payload, retained, qos }: Delivery): Promise<void> {
    const { clock, log } = this.#context;
    const arrivalMs = clock.now();
    const lanes = this.#lanes.filter(({ matches }) => matches(topic));
    // The broker remembers a subscription that nobody has asked for since.
    if (lanes.length === 0) return log.note("", "unsubscribed", { topic });
    const safe = lanes.map(async ({ name, queue }) => {
      if (qos === 0 && !queue.hasRoom(payload.length)) {
        log.note(name, "queue-full", { topic });
        return true;
      }
      return queue.post({ source: name, topic, payload, arrivalMs, retained });
    });
    // What is not safe when the source ends is never acknowledged: the broker has it still.
    if ((await Promise.all(safe)).includes(false)) await new Promise(() => undefined);
  }
}

/** The same after every start, or the broker would keep messages for somebody who does not come back. */
function clientIdOf(source: BoundSource<MqttBinding>, { device, task }: SourceContext): string {
  const { url, username = "" } = source.binding.endpoint;
  const own = isDefault(source.binding.limits) ? "" : source.name;
  const hash = createHash("sha256").update(JSON.stringify([task, url, username, own]));
  return `${device}-telemetry-${hash.digest("hex").slice(0, 8)}`;
}

function isDefault(limits: SourceLimits): boolean {
  return JSON.stringify(limits) === JSON.stringify(defaultSourceLimits);
}
