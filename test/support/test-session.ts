// An MQTT session with a record of what happened to it.

import { systemClock } from "../../shared/clock.js";
import { type LogFields, type Logger, silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import {
  type MqttSession,
  type MqttSessionOptions,
  openMqttSession,
} from "../../shared/transport/mqtt-session.js";
import type { Message } from "../../shared/transport/port.js";

export interface TestSession {
  readonly session: MqttSession;
  readonly messages: readonly Message[];
  readonly log: readonly { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  connects: number;
  disconnects: number;
}

/** A session of this name; by default without subscriptions. */
export function openSession(
  name: string,
  options: Pick<MqttSessionOptions, "endpoint"> & Partial<MqttSessionOptions>,
): TestSession {
  const messages: Message[] = [];
  const log: { level: string; fields: LogFields; message: string }[] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    log.push({ level, fields, message });
  };
  const logger: Logger = { ...silentLogger, warn: write("warn"), error: write("error"), child: () => logger };
  const record = { messages, log, connects: 0, disconnects: 0 };
  const session = openMqttSession({
    clientId: name,
    clock: systemClock,
    random: randomStream("test", "session", name),
    logger,
    subscriptions: [],
    onConnected: () => record.connects++,
    onDisconnected: () => record.disconnects++,
    onMessage: async (message) => void messages.push(message),
    ...options,
  });
  return Object.assign(record, { session });
}
