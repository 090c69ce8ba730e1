// Binds the task's sources to where the device's owner has them, anew for every task.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { SourceSpec, Task } from "../../shared/task/task.js";
import { decoderOf, namesColumns, readSources } from "../ingest/decoders/of-task.js";
import type { Decode, Reply } from "../ingest/decoders/port.js";
import { Pacer } from "../ingest/pacer.js";
import { type Receiver, Reception } from "../ingest/reception.js";
import { SourceLog } from "../ingest/source-log.js";
import { defaultSourceLimits, type SourceBinding } from "../ingest/sources/binding.js";
import type { BoundSource, Source, SourceContext } from "../ingest/sources/port.js";
import { groupSources, type SourceGroup } from "../ingest/sources/registry.js";

export interface TelemetryOptions {
  readonly device: DeviceId;
  /** By the task's name for the source. */
  readonly bindings: Readonly<Record<string, SourceBinding>>;
  readonly ingest: (readings: readonly Reading[]) => Promise<void>;
  /** Every source has come to its end. */
  readonly endOfData: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** The device's data folder; undefined: nothing of sources is kept. */
  readonly folder: string | undefined;
  /** Where to go on in a source that can be read again; undefined: from its beginning. */
  readonly positionOf?: (source: string) => number | undefined;
}

/** The sources of the task that runs. */
export class Telemetry {
  readonly #options: TelemetryOptions;
  #open: readonly OpenGroup[] = [];
  /** Ends the waiting of the task's replay. */
  #end = new AbortController();
  /** Tasks to follow, one after the other: a client id or a port is free only when who had it has closed. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  /** Leaves the sources of the task before, and opens this one's. */
  follow(task: Task): Promise<void> {
    return this.#next(() => this.#switch(task));
  }

  /** Connected to everything the task needs: what is sent from now on comes. */
  get isConnected(): boolean {
    return this.#waiting === 0 && this.#open.every(({ source }) => source.isConnected);
  }

  close(): Promise<void> {
    return this.#next(() => this.#leave());
  }

  #next(step: () => Promise<void>): Promise<void> {
    this.#waiting++;
    this.#work = this.#work.then(step).finally(() => this.#waiting--);
    return this.#work;
  }

  async #switch(task: Task): Promise<void> {
    const bound = this.#bind(task);
    this.#warnOfStrangers(task, bound);
    const groups = groupSources(bound);
    const decoders = await loadDecoders(task, bound, this.#options.device);
    await this.#leave(groups);
    this.#end = new AbortController();
    const context = this.#createContext(task, this.#createReceivers(bound, decoders));
    this.#open = await Promise.all(
      groups.map(async (group) => ({ group, source: await group.open(context(group)) })),
    );
  }

  /** `next`: what the task that follows needs; undefined when none does. */
  async #leave(next?: readonly SourceGroup[]): Promise<void> {
    this.#end.abort();
    const before = this.#open;
    this.#open = [];
    await Promise.all(
      before.map(async ({ group: { key }, source }) => {
        if (next !== undefined)
          await source.release?.(next.find((group) => group.key === key)?.sources ?? []);
        await source.close();
      }),
    );
  }

  #createContext(
    task: Task,
    receivers: ReadonlyMap<string, Receiver>,
  ): (group: SourceGroup) => SourceContext {
    const { device, clock, logger, counters, ingest, folder, positionOf = () => undefined } = this.#options;
    const log = new SourceLog({ logger, counters });
    const reply = (source: string, reply: Reply) => this.#reply(source, reply);
    const sink = new Reception({ receivers, ingest, reply, log });
    const running = new Set(receivers.keys());
    const onEnd = (source: string) => {
      logger.info({ source }, "the source has come to its end");
      running.delete(source);
      if (running.size === 0) void this.#options.endOfData();
    };
    const common = { device, task: task.task, sink, clock, logger, log, counters, folder, positionOf, onEnd };
    return ({ key }) => ({ ...common, random: randomStream("telemetry", device, key) });
  }

  #reply(name: string, reply: Reply): void {
    const open = this.#open.find(({ group }) => group.sources.some((source) => source.name === name));
    open?.source.reply?.(reply);
  }

  #bind(task: Task): readonly BoundSource[] {
    return readSources(task).flatMap(({ name }) => {
      const source = task.sources[name]!;
      const binding = this.#bindingOf(name, source);
      const filter = binding?.topic ?? source.mqtt;
      if (binding === undefined || (binding.kind === "mqtt" && filter === undefined)) return [];
      return [{ name, binding, filter: filter ?? "", hasHeader: namesColumns(source) }];
    });
  }

  /** The owner's word; a machine that is asked about itself needs none. */
  #bindingOf(name: string, { host }: SourceSpec): SourceBinding | undefined {
    const { bindings } = this.#options;
    if (Object.hasOwn(bindings, name)) return bindings[name];
    return host && { kind: "host", everyMs: host.everyMs, topic: undefined, limits: defaultSourceLimits };
  }

  #createReceivers(
    bound: readonly BoundSource[],
    decoders: ReadonlyMap<string, Decode>,
  ): ReadonlyMap<string, Receiver> {
    const pacer = createPacers(this.#options.clock, this.#end.signal);
    return new Map(
      bound.map(({ name, binding }) => {
        const speed = "speed" in binding ? binding.speed : undefined;
        return [name, { decode: decoders.get(name)!, pacer: pacer(speed) }];
      }),
    );
  }

  #warnOfStrangers(task: Task, bound: readonly BoundSource[]): void {
    const { bindings, logger } = this.#options;
    const known = Object.keys(task.sources);
    for (const name of Object.keys(bindings)) {
      if (!known.includes(name)) logger.warn({ source: name, known }, "the task has no such source");
    }
    for (const name of known) {
      if (bound.some((source) => source.name === name)) continue;
      const why = Object.hasOwn(bindings, name) ? "it has no topic" : "the config does not say where it is";
      logger.warn({ source: name }, `nothing will come from this source: ${why}`);
    }
  }
}

interface OpenGroup {
  readonly group: SourceGroup;
  readonly source: Source;
}

/** What a device does not speak is not loaded. */
async function loadDecoders(
  task: Task,
  bound: readonly BoundSource[],
  device: DeviceId,
): Promise<ReadonlyMap<string, Decode>> {
  const layouts = new Map(readSources(task).map((layout) => [layout.name, layout]));
  const loaded = bound.map(async ({ name, binding }) => {
    // What a machine says is about itself, whatever the topics of other sources say.
    const isHost = binding.kind === "host";
    return [name, await decoderOf(task, layouts.get(name)!, { device, isHost })] as const;
  });
  return new Map(await Promise.all(loaded));
}

/** One for each speed, which sources share; none where nothing waits. */
function createPacers(clock: Clock, signal: AbortSignal): (speed: number | undefined) => Pacer | undefined {
  const pacers = new Map<number, Pacer>();
  return (speed) => {
    if (speed === undefined || speed === Infinity) return undefined;
    const pacer = pacers.get(speed) ?? new Pacer(clock, speed, signal);
    pacers.set(speed, pacer);
    return pacer;
  };
}
