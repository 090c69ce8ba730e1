// A network between an MQTT client and its broker that a test can spoil: slow it down, stop it, cut it.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Bytes that travel together: at most so many wait for their time at once. */
const SLICE_BYTES = 4096;

export interface TcpProxyOptions {
  readonly target: { readonly host?: string; readonly port: number };
  /** Of each direction of each connection; unlimited if absent. */
  readonly bytesPerSecond?: number;
}

/** A proxy on a free port of the loopback interface. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections ever accepted. */
  readonly accepted: number;
  /** Bytes passed on. */
  readonly traffic: { readonly up: number; readonly down: number };
  /** Ends the connections of one MQTT client, or all, as a network failure would. */
  cut(clientId?: string): void;
  /** Lets this much through per second and direction from now on; undefined: all. */
  throttle(bytesPerSecond: number | undefined): void;
  /** Nothing passes in either direction until `resume`; connections stay open. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

interface Route {
  readonly client: Socket;
  readonly broker: Socket;
  /** From the client's CONNECT; undefined before it, and within a WebSocket. */
  clientId: string | undefined;
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { port, host = "127.0.0.1" } = options.target;
  const routes = new Set<Route>();
  const traffic = { up: 0, down: 0 };
  let { bytesPerSecond } = options;
  let accepted = 0;
  let open = () => {};
  let opened: Promise<void> | undefined;

  const carry = async (from: Socket, to: Socket, count: (bytes: Buffer) => void) => {
    for await (const bytes of from) {
      for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
        const slice = bytes.subarray(at, at + SLICE_BYTES);
        await opened;
        if (bytesPerSecond !== undefined) await sleep((slice.length / bytesPerSecond) * 1000);
        count(slice);
        if (!to.write(slice)) await once(to, "drain");
      }
    }
  };
  const end = ({ client, broker }: Route) => {
    client.resetAndDestroy();
    broker.resetAndDestroy();
  };

  const server = createServer((client) => {
    const route: Route = { client, broker: connect({ port, host, noDelay: true }), clientId: undefined };
    accepted++;
    routes.add(route);
    client.setNoDelay(true);
    const over = () => {
      routes.delete(route);
      client.destroy();
      route.broker.destroy();
    };
    const up = carry(client, route.broker, (bytes) => {
      route.clientId ??= clientIdOf(bytes);
      traffic.up += bytes.length;
    });
    const down = carry(route.broker, client, (bytes) => {
      traffic.down += bytes.length;
    });
    for (const socket of [client, route.broker]) socket.on("error", over).on("close", over);
    // Either side's end is the other's.
    up.then(() => route.broker.end(), over);
    down.then(() => client.end(), over);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    traffic,
    get connections() {
      return routes.size;
    },
    get accepted() {
      return accepted;
    },
    cut(clientId) {
      for (const route of routes) if (clientId === undefined || route.clientId === clientId) end(route);
    },
    throttle(rate) {
      bytesPerSecond = rate;
    },
    pause() {
      opened ??= new Promise((resolve) => {
        open = resolve;
      });
    },
    resume() {
      open();
      opened = undefined;
    },
    async close() {
      open();
      for (const route of routes) end(route);
      server.close();
      await once(server, "close");
    },
  };
}

/** The client id in a CONNECT packet that arrives in one piece (MQTT 3.1.1, section 3.1). */
function clientIdOf(bytes: Buffer): string | undefined {
  if (bytes[0] !== 0x10) return undefined;
  let at = 1;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  // Length's last byte, protocol name "MQTT" with its length, level, flags, keepalive.
  at += 1 + 6 + 1 + 1 + 2;
  return at + 2 > bytes.length ? undefined : bytes.toString("utf8", at + 2, at + 2 + bytes.readUInt16BE(at));
}
