// Connections that are ended before an application hears of them, on a real server with short times.

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Counters } from "../../../../shared/counters.js";
import {
  type ConnectionRefusal,
  countRefusals,
  guardConnections,
} from "../../../../shared/http/guard-connections.js";
import { silentLogger } from "../../../../shared/log.js";
import { until } from "../../../support/until.js";

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(connectionsMax: number) {
  const noted: ConnectionRefusal[] = [];
  const server = createServer({ connectionsCheckingInterval: 20 }, (request) => void request.resume());
  server.requestTimeout = 100;
  guardConnections(server, connectionsMax, (reason) => void noted.push(reason));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  closers.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  const open = (): Socket => connect(port, "127.0.0.1").on("error", () => undefined);
  return { noted, open };
}

test("a body that drips in is cut off when the request's time is over", async () => {
  const { noted, open } = await listen(10);
  const socket = open();
  socket.write("POST / HTTP/1.1\r\nHost: device\r\nContent-Length: 100000\r\n\r\n");
  const drip = setInterval(() => socket.write("x"), 10);
  closers.push(() => clearInterval(drip));
  await until(() => noted.includes("too-slow"));
});

test("one connection too many is ended", async () => {
  const { noted, open } = await listen(1);
  const first = open();
  await once(first, "connect");
  open();
  await until(() => noted.includes("too-many-connections"));
  expect(first.destroyed).toBe(false);
});

test("refusals are counted each, and logged once for each reason", () => {
  const counters = new Counters();
  const warned: unknown[] = [];
  const note = countRefusals(counters, { ...silentLogger, warn: (fields) => warned.push(fields) });
  for (const reason of ["malformed", "malformed", "too-slow"] as const) note(reason);
  expect(counters.toJSON()).toEqual({ "http.malformed": 2, "http.too-slow": 1 });
  expect(warned).toEqual([{ reason: "malformed" }, { reason: "too-slow" }]);
});
