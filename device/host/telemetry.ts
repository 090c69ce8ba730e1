// Binds the task's sources to where the device's owner has them, anew for every task.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import type { SourceSpec, Task } from "../../shared/task/task.js";
import type { Agent } from "../agent.js";
import type { EventClock } from "../ingest/clock.js";
import { decoderOf, namesColumns, readSources } from "../ingest/decoders/of-task.js";
import type { Decode, Reply } from "../ingest/decoders/port.js";
import type { Inputs } from "../ingest/inputs.js";
import { PacedSink } from "../ingest/paced-sink.js";
import { Pacer } from "../ingest/pacer.js";
import { Reception } from "../ingest/reception.js";
import { SourceLog } from "../ingest/source-log.js";
import { defaultSourceLimits, type SourceBinding } from "../ingest/sources/binding.js";
import type { BoundSource, MessageSink, Source, SourceContext } from "../ingest/sources/port.js";
import { groupSources, type SourceGroup } from "../ingest/sources/registry.js";
import type { Recorder } from "../log/recorder.js";

export interface TelemetryOptions {
  readonly device: DeviceId;
  /** By the task's name for the source. */
  readonly bindings: Readonly<Record<string, SourceBinding>>;
  readonly recorder: Pick<Recorder, "take" | "pause" | "serve" | "loggedPosition">;
  readonly inputs: Pick<Inputs, "follow">;
  readonly eventClock: Pick<EventClock, "heard" | "at">;
  readonly agent: Pick<Agent, "receive" | "endOfData">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** The device's data folder; undefined: nothing of sources is kept. */
  readonly folder: string | undefined;
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
    this.#options.recorder.pause();
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
    const paced = await this.#loadPaced(task, bound);
    await this.#leave(groups);
    this.#end = new AbortController();
    const context = this.#createContext(task, { bound, decoders, sink: paced(this.#end.signal) });
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

  #createContext(task: Task, { bound, decoders, sink }: Opening): (group: SourceGroup) => SourceContext {
    const { device, clock, logger, counters, folder, agent } = this.#options;
    const log = new SourceLog({ logger, counters });
    const { positionOf, caughtUp } = this.#serve(task, { bound, decoders, log });
    const running = new Set(bound.map(({ name }) => name));
    const onEnd = (source: string) => {
      logger.info({ source }, "the source has come to its end");
      running.delete(source);
      // Only now has everything that came before the end gone through the pipeline.
      if (running.size === 0) void caughtUp.then(() => agent.endOfData());
    };
    const common = { device, task: task.task, sink, clock, logger, log, counters, folder, positionOf, onEnd };
    return ({ key }) => ({ ...common, random: randomStream("telemetry", device, key) });
  }

  #serve(task: Task, { bound, decoders, log }: Omit<Opening, "sink"> & { readonly log: SourceLog }) {
    const { recorder, inputs, eventClock, agent } = this.#options;
    const file = onlyFile(bound);
    const reception = new Reception({
      decoders,
      eventNow: (readings, arrivalMs) => {
        for (const { timeMs } of readings) eventClock.heard(timeMs, arrivalMs);
        // When a file is read says nothing about its data.
        return file === undefined ? eventClock.at(arrivalMs) : undefined;
      },
      receive: (arrival) => agent.receive(arrival),
      reply: (source, reply) => this.#reply(source, reply),
      log,
    });
    inputs.follow(decoders);
    const { position, caughtUp } = recorder.serve({
      file,
      isTimedByArrival: (source) => task.sources[source]?.time.kind === "arrival",
      receive: (message, place) => reception.receive(message, place),
    });
    const positionOf = (source: string) =>
      (file === undefined ? recorder.loggedPosition(source) : position) || undefined;
    return { positionOf, caughtUp };
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

  /** The sink for sources some of which wait until it is their time. */
  async #loadPaced(task: Task, bound: readonly BoundSource[]): Promise<(signal: AbortSignal) => MessageSink> {
    const { recorder, device, clock } = this.#options;
    const waiting = bound.flatMap((source) => {
      const speed = "speed" in source.binding ? source.binding.speed : undefined;
      return speed === undefined || speed === Infinity ? [] : [{ source, speed }];
    });
    if (waiting.length === 0) return () => recorder;
    const decoders = await loadDecoders(
      task,
      waiting.map(({ source }) => source),
      device,
    );
    return (signal) => {
      const pacer = createPacers(clock, signal);
      const paced = waiting.map(({ source: { name }, speed }) => {
        return [name, { pacer: pacer(speed), decode: decoders.get(name)! }] as const;
      });
      return new PacedSink(recorder, new Map(paced));
    };
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

/** What the sources of a task are opened with. */
interface Opening {
  readonly bound: readonly BoundSource[];
  readonly decoders: ReadonlyMap<string, Decode>;
  readonly sink: MessageSink;
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

/** The file that is all there is and will not change: it can be read again instead of being logged. */
function onlyFile(bound: readonly BoundSource[]): string | undefined {
  const [only] = bound;
  if (bound.length !== 1 || only?.binding.kind !== "file" || only.binding.isFollowed) return undefined;
  return only.binding.path;
}

/** One for each speed, which sources share: or one of them would be years ahead of another. */
function createPacers(clock: Clock, signal: AbortSignal): (speed: number) => Pacer {
  const pacers = new Map<number, Pacer>();
  return (speed) => {
    const pacer = pacers.get(speed) ?? new Pacer(clock, speed, signal);
    pacers.set(speed, pacer);
    return pacer;
  };
}
