// The embedded broker anew before each test of a file, with clients that do exactly what they are told.

import { afterEach, beforeEach } from "vitest";
import type { BrokerLimits } from "../../server/broker/limits.js";
import { type BrokerLab, startBrokerLab } from "./broker-lab.js";
import { RawMqtt } from "./raw-mqtt.js";

export const PAYLOAD = Uint8Array.of(1, 2, 3);

/** A topic of task `t` that a device publishes to. */
export const up = (name: string, kind = "hello") => `hw/1/t/up/${name}/${kind}`;

export function willOn(topic: string, bytes = 1) {
  return { topic, payload: Buffer.alloc(bytes, "w"), qos: 1, retain: true } as const;
}

/** The broker of the test that runs, and its clients. */
export interface TestBroker {
  readonly lab: BrokerLab;
  /** The same broker with tighter bounds. */
  restrict(limits: Partial<BrokerLimits>): Promise<void>;
  /** A socket that has said nothing. */
  open(url?: string): Promise<RawMqtt>;
  connect(name?: string, url?: string): Promise<RawMqtt>;
  /** How often the broker counted this. */
  count(reason: string): number;
}

/** Call at the top of a test file. */
export function testBroker(): TestBroker {
  let lab: BrokerLab;
  const clients: RawMqtt[] = [];
  beforeEach(async () => {
    lab = await startBrokerLab();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await lab.broker.close();
  });
  const kept = (client: RawMqtt) => {
    clients.push(client);
    return client;
  };
  return {
    get lab() {
      return lab;
    },
    async restrict(limits) {
      await lab.broker.close();
      lab = await startBrokerLab(limits);
    },
    open: async (url = lab.tcp) => kept(await RawMqtt.open(url)),
    connect: async (name = "pump", url = lab.tcp) => kept(await RawMqtt.connect(url, name)),
    count: (reason) => lab.counters.get(`broker.${reason}`),
  };
}
