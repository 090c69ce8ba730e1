// Alerts that leave: to a real HTTP listener and a real broker, from a server process's parts.

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type AlertConfig, AlertDesk } from "../../server/alert/desk.js";
import { createWebhook } from "../../server/alert/webhook.js";
import { startServerHost } from "../../server/host/host.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { parseTask } from "../../shared/task/parse.js";
import { deviceId, taskId } from "../support/device-kit.js";
import { ManualClock } from "../support/manual-clock.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { smallTask } from "../support/small-task.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Hook {
  readonly url: string;
  readonly requests: { readonly headers: IncomingMessage["headers"]; readonly body: string }[];
}

/** An HTTP listener that answers with each of `codes` in turn, then with 200. */
async function startHook(codes: readonly number[] = []): Promise<Hook> {
  const requests: Hook["requests"] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      response.statusCode = codes[requests.length] ?? 200;
      requests.push({ headers: request.headers, body });
      response.end("taken");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hooks/secret`, requests };
}

function openDesk(config: AlertConfig, clock = systemClock) {
  const counters = new Counters();
  const fleet = () => ({ enrolled: 0, connected: 0, journalFailures: 0 });
  const task = taskId("pumps");
  const desk = new AlertDesk({
    ...{ config, task, seed: "1", clock, logger: silentLogger, counters, fleet },
  });
  closers.push(() => desk.close());
  return { desk, counters };
}

const quarantined = (name: string) =>
  ({ type: "quarantined", device: deviceId(name), reason: "drifts-alone" }) as const;

test("a webhook gets JSON with a sentence that chat programs show, again after a 503", async () => {
  const hook = await startHook([503]);
  const { desk } = openDesk({ webhook: hook.url });
  desk.hear(quarantined("pump-1"));
  await until(() => hook.requests.length === 2);
  const [, request] = hook.requests;
  expect(request?.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(JSON.parse(request?.body ?? "")).toEqual({
    ...{ v: 1, kind: "quarantined", severity: "warning", task: "pumps", time: expect.stringMatching(/Z$/) },
    text: "Headwater pumps: Device pump-1 is left out of rounds (drifts-alone). Its sensors may need looking after.",
    details: { device: "pump-1", reason: "drifts-alone" },
  });
  await until(() => desk.counts().some(({ outcome, count }) => outcome === "sent" && count === 1));
});

test("a webhook that is not there, or points elsewhere, is not asked again", async () => {
  const hook = await startHook([404, 302]);
  const { desk } = openDesk({ webhook: hook.url });
  desk.hear(quarantined("pump-1"));
  desk.hear(quarantined("pump-2"));
  await until(() => desk.counts().some(({ outcome, count }) => outcome === "failed" && count === 2));
  expect(hook.requests).toHaveLength(2);
});

test("the same alert is raised once an hour", async () => {
  const hook = await startHook();
  const clock = new ManualClock();
  const { desk, counters } = openDesk({ webhook: hook.url }, clock);
  for (let hour = 0; hour < 3; hour++) {
    for (let time = 0; time < 4; time++) desk.hear(quarantined("pump-1"));
    desk.hear(quarantined("pump-2"));
    // Real requests take no time of this clock.
    await until(() =>
      desk.counts().some(({ outcome, count }) => outcome === "sent" && count === 2 * (hour + 1)),
    );
    await clock.advance(3_600_000);
  }
  expect(hook.requests).toHaveLength(6);
  expect(counters.get("alerts.repeated")).toBe(9);
});

test("an address that is none is refused at once, without telling its secret", () => {
  expect(() => createWebhook("ftp://example.org/secret")).toThrow(/no URL of the form https/);
  expect(createWebhook("https://hooks.example.org/services/secret").place).toBe("https://hooks.example.org");
});

test.skipIf(!hasMosquitto)(
  withMosquitto("alerts are published below the prefix, also one from before the broker was there"),
  async () => {
    const broker = await startMosquitto();
    closers.push(() => broker.close());
    await broker.kill();
    const { desk } = openDesk({ mqtt: { endpoint: { url: broker.url }, prefix: "plant/alerts" } });
    desk.hear(quarantined("pump-1"));
    await broker.restart();
    const reader = openSession("reader", {
      endpoint: { url: broker.url },
      subscriptions: ["plant/alerts/#"],
    });
    closers.push(() => reader.session.close());
    await until(() => reader.connects === 1);
    desk.hear(quarantined("pump-2"));
    await until(() => reader.messages.some(({ payload }) => Buffer.from(payload).includes("pump-2")), 20_000);
    const [message] = reader.messages;
    expect(message?.topic).toBe("plant/alerts/pumps/quarantined");
    await until(() => desk.counts().some(({ outcome, count }) => outcome === "sent" && count === 2));
    expect(desk.counts()).toContainEqual({ way: "mqtt", outcome: "failed", count: 0 });
  },
  40_000,
);

test("a prefix that is no topic is refused at once", () => {
  const mqtt = (prefix: string) => () =>
    openDesk({ mqtt: { endpoint: { url: "mqtt://127.0.0.1:1" }, prefix } });
  for (const prefix of ["plant/#", "plant/", "a/+/b", ""])
    expect(mqtt(prefix), prefix).toThrow(/is no topic/);
});

test("a server says on its metrics page what became of its alerts", async () => {
  const anywhere = { host: "127.0.0.1", port: 0 } as const;
  const hook = await startHook();
  const host = await startServerHost(
    {
      ...{ task: parseTask(smallTask), folder: temp.path, http: anywhere, alerts: { webhook: hook.url } },
      broker: { kind: "embedded", listeners: [{ kind: "tcp", ...anywhere }] },
    },
    { logger: silentLogger },
  );
  closers.push(() => host.stop());
  const page = await (await fetch(`${host.httpUrl}/metrics`)).text();
  expect(page).toContain('headwater_alerts_total{way="webhook",outcome="sent"} 0\n');
});
