// Telemetry without a log: what its sources bring goes straight to a list of readings.

import { START } from "../../device/checkpoint/mark.js";
import type { Arrival } from "../../device/deployment.js";
import { Telemetry, type TelemetryOptions } from "../../device/host/telemetry.js";
import type { Serving } from "../../device/log/recorder.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { deviceId } from "./device-kit.js";

export interface DirectTelemetryOptions extends Pick<TelemetryOptions, "bindings"> {
  readonly device?: string;
  /** A message is safe, and gives its readings, when this resolves; at once if absent. */
  readonly safe?: () => Promise<void>;
  readonly folder?: string;
  /** Hears of every message, besides. */
  readonly onArrival?: (arrival: Arrival) => void;
}

/** Telemetry, all its readings, and how often it has ended. */
export function directTelemetry({
  device = "pi-1",
  safe,
  folder,
  onArrival,
  bindings,
}: DirectTelemetryOptions) {
  const readings: Reading[] = [];
  const counters = new Counters();
  const ends = { count: 0 };
  let serving: Serving | undefined;
  const telemetry = new Telemetry({
    ...{ device: deviceId(device), clock: systemClock, logger: silentLogger, counters, bindings },
    recorder: {
      async take(message) {
        await safe?.();
        serving?.receive(message, { mark: START, isNew: true });
      },
      pause: () => undefined,
      serve(next) {
        serving = next;
        return { position: 0, caughtUp: Promise.resolve() };
      },
      loggedPosition: () => 0,
    },
    inputs: { follow: () => undefined },
    eventClock: { heard: () => undefined, at: () => undefined },
    agent: {
      receive(arrival) {
        readings.push(...arrival.readings);
        onArrival?.(arrival);
      },
      endOfData: async () => void ends.count++,
    },
    folder,
  });
  return { telemetry, readings, counters, ends };
}
