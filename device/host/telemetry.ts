// Binds the task's sources to the brokers that the device's owner names, anew for every task.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { Task } from "../../shared/task/task.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import { decoders } from "../ingest/decoders/registry.js";
import { createEntityReader } from "../ingest/entity.js";
import { type Binding, MqttSource } from "../ingest/sources/mqtt.js";
import type { SourceBinding } from "./config.js";

export interface TelemetryOptions {
  readonly device: DeviceId;
  readonly bindings: Readonly<Record<string, SourceBinding>>;
  readonly ingest: (readings: readonly Reading[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** The sources of the task that runs. */
export class Telemetry {
  readonly #options: TelemetryOptions;
  #sources: readonly MqttSource[] = [];

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  /** Leaves the sources of the task before, and subscribes to this one's. */
  follow(task: Task): void {
    const before = this.#sources;
    const found = this.#bind(task);
    this.#warnOfStrangers(task, found);
    this.#sources = groupByBroker(found).map(({ endpoint, bindings }, index) =>
      this.#open(endpoint, bindings, index),
    );
    for (const source of before) void source.close();
  }

  /** Connected to every broker the task needs, and subscribed: what is published from now on comes. */
  get isConnected(): boolean {
    return this.#sources.every((source) => source.isConnected);
  }

  async close(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.close()));
  }

  #bind(task: Task): readonly BoundSource[] {
    const { bindings, device } = this.#options;
    const { source: name, fields } = layOut(task);
    const source = task.sources[name];
    const binding = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
    const filter = binding?.topic ?? source?.mqtt;
    if (source === undefined || binding === undefined || filter === undefined) return [];
    const entityOf = createEntityReader(task.entity, device);
    const decode = decoders[source.decode.kind]({ name, source, fields, entityOf, device });
    const isTimedByArrival = source.time.kind === "arrival";
    return [{ endpoint: binding.endpoint, binding: { name, filter, decode, isTimedByArrival } }];
  }

  #warnOfStrangers(task: Task, found: readonly BoundSource[]): void {
    const { bindings, logger } = this.#options;
    const known = Object.keys(task.sources);
    for (const name of Object.keys(bindings)) {
      if (!known.includes(name)) logger.warn({ source: name, known }, "the task has no such source");
    }
    for (const name of known) {
      if (found.some(({ binding }) => binding.name === name)) continue;
      const why = Object.hasOwn(bindings, name)
        ? "it has no topic"
        : "the config does not say on which broker it is";
      logger.warn({ source: name }, `nothing will come from this source: ${why}`);
    }
  }

  #open(endpoint: MqttEndpoint, bindings: readonly Binding[], index: number): MqttSource {
    const { device } = this.#options;
    // Two clients of one id would cut each other off, as would the old task's and the new one's.
    const clientId = `${device}-telemetry-${index + 1}`;
    const random = randomStream("telemetry", clientId);
    return new MqttSource({ ...this.#options, endpoint, clientId, random, bindings });
  }
}

interface BoundSource {
  readonly endpoint: MqttEndpoint;
  readonly binding: Binding;
}

function groupByBroker(sources: readonly BoundSource[]) {
  const groups = new Map<string, { endpoint: MqttEndpoint; bindings: Binding[] }>();
  for (const { endpoint, binding } of sources) {
    const key = JSON.stringify([endpoint.url, endpoint.username, endpoint.password]);
    const group = groups.get(key) ?? { endpoint, bindings: [] };
    group.bindings.push(binding);
    groups.set(key, group);
  }
  return [...groups.values()];
}
