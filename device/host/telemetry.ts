// Binds the task's sources to the brokers that the device's owner names, anew for every task.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Field } from "../../shared/pipeline/operators/port.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { Task } from "../../shared/task/task.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import { createDecoder } from "../ingest/decoders/registry.js";
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
  /** Counts tasks, and the end: what was waited for in between is nobody's any more. */
  #turn = 0;
  #openTurn = 0;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  /** Leaves the sources of the task before, and subscribes to this one's once its decoders are loaded. */
  async follow(task: Task): Promise<void> {
    const turn = ++this.#turn;
    const found = await this.#bind(task);
    if (turn !== this.#turn) return;
    const before = this.#sources;
    this.#warnOfStrangers(task, found);
    this.#openTurn = turn;
    this.#sources = groupByBroker(found).map(({ endpoint, bindings }, index) =>
      this.#open(endpoint, bindings, index),
    );
    for (const source of before) void source.close();
  }

  /** Connected to every broker the task needs, and subscribed: what is published from now on comes. */
  get isConnected(): boolean {
    return this.#openTurn === this.#turn && this.#sources.every((source) => source.isConnected);
  }

  async close(): Promise<void> {
    this.#turn++;
    await Promise.all(this.#sources.map((source) => source.close()));
  }

  async #bind(task: Task): Promise<readonly BoundSource[]> {
    const { sources, labelSource } = layOut(task);
    const read = new Map(sources.map((source) => [source.name, source.fields]));
    if (labelSource !== undefined) read.set(labelSource.name, labelSource.fields);
    const bound = await Promise.all([...read].map(([name, fields]) => this.#bindSource(task, name, fields)));
    return bound.flat();
  }

  async #bindSource(task: Task, name: string, fields: readonly Field[]): Promise<readonly BoundSource[]> {
    const { bindings, device } = this.#options;
    const source = task.sources[name];
    const binding = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
    const filter = binding?.topic ?? source?.mqtt;
    if (source === undefined || binding === undefined || filter === undefined) return [];
    const entityOf = createEntityReader(source.entity ?? task.entity, device);
    const decode = await createDecoder({ name, source, fields, entityOf });
    return [{ endpoint: binding.endpoint, binding: { name, filter, decode } }];
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
