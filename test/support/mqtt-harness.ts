// The transport contract's harness over real sockets: links through a proxy that can be cut, whatever the broker.

import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMqttLink } from "../../shared/transport/mqtt-link.js";
import type { Link, Uplink } from "../../shared/transport/port.js";
import type { TransportHarness } from "../contract/transport.js";
import { startTcpProxy } from "./tcp-proxy.js";
import { until } from "./until.js";

/** A running broker and how the server reaches it. */
export interface BrokerUnderTest {
  readonly port: number;
  uplink(): Uplink;
  isServing?(uplink: Uplink): boolean;
  /** Credentials of a client; none if absent. */
  credentials?(clientId: string): { readonly username: string; readonly password: string };
  close(): Promise<void>;
}

/** Short, because one test waits for it. */
const ACK_TIMEOUT_MS = 500;

/** The harness; closing it closes its links, its uplinks and the broker. */
export async function mqttHarness(broker: BrokerUnderTest): Promise<TransportHarness> {
  const proxy = await startTcpProxy({ target: { port: broker.port } });
  const opened: { close(): Promise<void> }[] = [];
  const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    opened.push(part);
    return part;
  };
  return {
    link: () => keep(lateLink(proxy.port, broker)),
    uplink: () => keep(broker.uplink()),
    ...(broker.isServing === undefined ? {} : { isServing: (uplink) => broker.isServing?.(uplink) ?? true }),
    until: (condition) => until(condition),
    cut: (clientId) => proxy.cut(clientId),
    ackTimeout: () => Promise.resolve(),
    async close() {
      await Promise.all(opened.map((part) => part.close()));
      await proxy.close();
      await broker.close();
    },
  };
}

/** A link whose credentials depend on the name it is opened with. */
function lateLink(port: number, broker: BrokerUnderTest): Link {
  let link: Link | undefined;
  const create = (clientId: string) =>
    createMqttLink({
      endpoint: { url: `mqtt://127.0.0.1:${port}`, ...broker.credentials?.(clientId) },
      clock: systemClock,
      random: randomStream("test", "link", clientId),
      logger: silentLogger,
      ackTimeoutMs: ACK_TIMEOUT_MS,
    });
  const current = () => {
    link ??= create("nobody");
    return link;
  };
  return {
    get keepaliveMs() {
      return current().keepaliveMs;
    },
    chunkBytes: () => current().chunkBytes(),
    open(options) {
      link = create(options.clientId);
      link.open(options);
    },
    publish: (topic, payload, options) => current().publish(topic, payload, options),
    close: () => current().close(),
  };
}
