// A real embedded broker on free ports, with all it counts and logs.

import { type EmbeddedBroker, startBroker } from "../../server/broker/broker.js";
import type { BrokerLimits } from "../../server/broker/limits.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { parseDeviceId, parseTaskId, type TaskId } from "../../shared/id.js";
import type { LogFields, Logger } from "../../shared/log.js";
import type { Uplink, UplinkMessage } from "../../shared/transport/port.js";

/** A broker that knows every device by a password that is its name. */
export interface BrokerLab {
  readonly broker: EmbeddedBroker;
  readonly counters: Counters;
  /** What was logged as a warning. */
  readonly warnings: LogFields[];
  readonly tcp: string;
  readonly ws: string;
  /** Opens an uplink of a task (default `t`); what it is handed is in `received`. */
  serve(
    handler?: (message: UplinkMessage) => Promise<void>,
    task?: string,
  ): { readonly uplink: Uplink; readonly received: UplinkMessage[] };
}

export async function startBrokerLab(limits: Partial<BrokerLimits> = {}): Promise<BrokerLab> {
  const counters = new Counters();
  const warnings: LogFields[] = [];
  const broker = await startBroker({
    listeners: [
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      { kind: "ws", host: "127.0.0.1", port: 0 },
    ],
    isKnown: (device, password) => device === password,
    ...{ clock: systemClock, logger: recorder(warnings), counters, limits },
  });
  return {
    ...{ broker, counters, warnings },
    tcp: broker.urls[0]!,
    ws: broker.urls[1]!,
    serve: (handler = () => Promise.resolve(), name = "t") => {
      const uplink = broker.uplink(task(name));
      const received: UplinkMessage[] = [];
      uplink.open((message) => {
        // The bytes are the broker's again once it is handled.
        received.push({ ...message, payload: new Uint8Array(message.payload) });
        return handler(message);
      });
      return { uplink, received };
    },
  };
}

export function task(name: string): TaskId {
  return parseTaskId(name)!;
}

export function device(name: string) {
  return parseDeviceId(name)!;
}

function recorder(warnings: LogFields[]): Logger {
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields) => void warnings.push(fields),
    error: () => undefined,
    child: () => logger,
  };
  return logger;
}
