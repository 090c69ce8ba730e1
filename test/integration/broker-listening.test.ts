// Where the embedded broker listens, and what comes to its sockets that is no MQTT.

import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startBroker } from "../../server/broker/broker.js";
import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import { testBroker } from "../support/test-broker.js";
import { until } from "../support/until.js";

const bench = testBroker();
const { restrict, connect, count } = bench;

describe("listening", () => {
  test("on a taken port says which, and leaves no other listener behind", async () => {
    const port = Number(new URL(bench.lab.tcp).port);
    const attempt = startBroker({
      listeners: [
        { kind: "ws", host: "127.0.0.1", port: 0 },
        { kind: "tcp", host: "127.0.0.1", port },
      ],
      ...{ isKnown: () => true, clock: systemClock, logger: silentLogger, counters: bench.lab.counters },
    });
    await expect(attempt).rejects.toMatchObject({
      code: "address-unusable",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test.each([
    { kind: "tcp", host: "192.0.2.1", port: 0 },
    { kind: "ws", host: "127.0.0.1", port: 70_000 },
  ] as const)("on $host:$port is refused by name", async (address) => {
    const attempt = startBroker({
      listeners: [address],
      ...{ isKnown: () => true, clock: systemClock, logger: silentLogger, counters: bench.lab.counters },
    });
    await expect(attempt).rejects.toMatchObject({
      code: "address-unusable",
      message: expect.stringContaining(`${address.host}:${address.port}`),
    });
  });

  test("WebSockets: without the subprotocol mqtt there is none", async () => {
    const socket = new WebSocket(bench.lab.ws, "chat");
    const message = await new Promise<string>((resolve) =>
      socket.once("error", ({ message }) => resolve(message)),
    );
    expect(message).toContain("400");
  });

  test("WebSockets: a browser that comes for a page is told so", async () => {
    const response = await fetch(bench.lab.ws.replace("ws:", "http:"));
    expect(response.status).toBe(426);
  });

  test("WebSockets: a message over the limit ends the connection", async () => {
    const pump = await connect("pump", bench.lab.ws);
    pump.write(new Uint8Array(192 * 1024 + 1));
    await pump.closed();
  });

  test("WebSockets: a request that never ends is cut off", async () => {
    await restrict({ connectTimeoutMs: 100 });
    const { hostname, port } = new URL(bench.lab.ws);
    const socket = connectTcp({ host: hostname, port: Number(port) });
    socket.write("GET / HTTP/1.1\r\nX-Slow: ");
    let isClosed = false;
    socket
      .on("error", () => undefined)
      .on("close", () => {
        isClosed = true;
      });
    await until(() => isClosed);
    expect(count("connect-timeout")).toBe(1);
  });
});
