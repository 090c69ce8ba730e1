// What a source is given in a test: a sink that keeps what it takes, real time, and all that is counted.

import { SourceLog } from "../../device/ingest/source-log.js";
import {
  defaultSourceLimits,
  type MqttBinding,
  type SourceBinding,
} from "../../device/ingest/sources/binding.js";
import type {
  BoundSource,
  MessageSink,
  SourceContext,
  SourceMessage,
} from "../../device/ingest/sources/port.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { deviceId, taskId } from "./device-kit.js";

/** A context and what came of it. */
export interface SourceLab {
  readonly context: SourceContext;
  readonly counters: Counters;
  readonly taken: readonly SourceMessage[];
  /** Payloads as text. */
  readonly texts: readonly string[];
  /** Sources that have come to their end. */
  readonly ended: readonly string[];
}

export function createSourceLab(options: Partial<SourceContext> = {}): SourceLab {
  const counters = new Counters();
  const taken: SourceMessage[] = [];
  const ended: string[] = [];
  const given: MessageSink | undefined = options.sink;
  const sink: MessageSink = {
    take: async (message) => {
      taken.push(message);
      await given?.take(message);
    },
  };
  const context: SourceContext = {
    device: deviceId("pump-1"),
    task: taskId("linear"),
    clock: systemClock,
    random: randomStream("test", "source"),
    logger: silentLogger,
    log: new SourceLog({ logger: silentLogger, counters }),
    counters,
    folder: undefined,
    positionOf: () => undefined,
    onEnd: (source) => ended.push(source),
    ...options,
    sink,
  };
  return {
    ...{ context, counters, taken, ended },
    get texts() {
      return taken.map(({ payload }) => Buffer.from(payload).toString());
    },
  };
}

/** A source called `s`. */
export function bound<Binding extends SourceBinding>(
  binding: Omit<Binding, "limits" | "topic"> & Partial<Binding>,
  options: Partial<BoundSource> = {},
): BoundSource<Binding> {
  // What was left out is what most tests do not care about.
  const whole = { topic: undefined, limits: defaultSourceLimits, ...binding } as Binding;
  return { name: "s", filter: "", hasHeader: false, ...options, binding: whole };
}

/** A broker, as most tests have one. */
export function onBroker(url: string, options: Partial<MqttBinding> = {}): MqttBinding {
  const defaults = { topic: undefined, isPersistent: false, limits: defaultSourceLimits };
  return { kind: "mqtt", endpoint: { url }, ...defaults, ...options };
}
