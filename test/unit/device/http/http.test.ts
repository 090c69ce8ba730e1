// The listener's own answers; what each part answers is tested with the part.

import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Agent } from "../../../../device/agent.js";
import { createHttpApp, openHttp } from "../../../../device/http/http.js";
import type { HttpPart } from "../../../../device/http/port.js";
import { DeviceMeter } from "../../../../device/metrics/meter.js";
import { systemClock } from "../../../../shared/clock.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { randomStream } from "../../../../shared/random.js";
import { deviceId } from "../../../support/device-kit.js";
import { freePort } from "../../../support/free-port.js";
import { until } from "../../../support/until.js";

const token = "0123456789abcdef";
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function optionsOf(
  parts: readonly HttpPart[],
  config: { readonly port?: number; readonly token?: string } = {},
) {
  return {
    config: { host: "127.0.0.1", port: 0, token: undefined, ...config },
    device: deviceId("pump-1"),
    // These parts do not ask it.
    agent: {} as Agent,
    ...{ clock: systemClock, logger: silentLogger, counters: new Counters(), parts },
    ...{
      meter: new DeviceMeter(systemClock),
      isTelemetryConnected: () => false,
      version: "1.2.3",
      startedMs: 0,
    },
  };
}

const echo: HttpPart = (app) => {
  app.post("/echo", async ({ body }) => ({ body }));
};

async function appOf(parts: readonly HttpPart[], config: { readonly token?: string } = {}) {
  const options = optionsOf(parts, config);
  const app = await createHttpApp(options);
  closers.push(() => app.close());
  return { app, counters: options.counters };
}

describe("a request", () => {
  test("without the token is refused, whatever it asks", async () => {
    const { app, counters } = await appOf([echo], { token });
    for (const url of ["/echo", "/nowhere"]) {
      const { statusCode, headers } = await app.inject({ method: "POST", url, payload: { a: 1 } });
      expect([statusCode, headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    }
    const headers = { authorization: `Bearer ${token}` };
    const reply = await app.inject({ method: "POST", url: "/echo", payload: { a: 1 }, headers });
    expect(reply.json()).toEqual({ body: { a: 1 } });
    expect(counters.get("http.unauthorized")).toBe(2);
  });

  test("for what is not there, too large or no JSON is answered with a word and a sentence", async () => {
    const { app, counters } = await appOf([echo]);
    expect((await app.inject("/nowhere")).json()).toEqual({
      error: "not-found",
      message: "there is no GET /nowhere",
    });
    const large = await app.inject({ method: "POST", url: "/echo", payload: { a: "x".repeat(100_000) } });
    expect([large.statusCode, large.json().error]).toEqual([413, "too-large"]);
    const headers = { "content-type": "application/json" };
    const broken = await app.inject({ method: "POST", url: "/echo", payload: "{", headers });
    expect([broken.statusCode, broken.json().error]).toEqual([400, "bad-request"]);
    expect(counters.toJSON()).toEqual({ "http.bad-request": 1, "http.not-found": 1, "http.too-large": 1 });
  });

  test("that meets a fault of ours learns nothing of it", async () => {
    const broken: HttpPart = (app) => {
      app.get("/broken", async () => {
        throw new Error("the secret of the inside");
      });
    };
    const { app } = await appOf([broken]);
    const { statusCode, body } = await app.inject("/broken");
    expect(statusCode).toBe(500);
    expect(body).not.toContain("secret");
  });
});

test("what a part sets up for its routes is for these alone", async () => {
  const raw: HttpPart = (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    app.post("/raw", async ({ body }) => ({ isBytes: Buffer.isBuffer(body) }));
  };
  const { app } = await appOf([raw, echo]);
  const post = async (url: string) => (await app.inject({ method: "POST", url, payload: { a: 1 } })).json();
  expect(await post("/raw")).toEqual({ isBytes: true });
  expect(await post("/echo")).toEqual({ body: { a: 1 } });
});

test("a taken address is listened at as soon as it is free", async () => {
  const port = await freePort();
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const pending: (() => void)[] = [];
  const clock = {
    ...systemClock,
    after: (_: number, action: () => void) => {
      pending.push(action);
      return () => undefined;
    },
  };
  const listener = await openHttp({
    ...optionsOf([echo], { port }),
    clock,
    random: randomStream("test", "http"),
  });
  closers.push(() => listener.close());
  expect(listener.address).toBeUndefined();
  other.close();
  await once(other, "close");
  pending.shift()?.();
  await until(() => listener.address !== undefined);
  expect((await fetch(`http://127.0.0.1:${port}/nowhere`)).status).toBe(404);
});
