// The server process's parts together, in this process: what they do when devices, ports or brokers are not as hoped.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ServerHostConfig } from "../../server/host/config.js";
import { openFleetFolder } from "../../server/host/fleet-folder.js";
import { type ServerHost, startServerHost } from "../../server/host/host.js";
import { systemClock } from "../../shared/clock.js";
import type { DeviceId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import { parseTask } from "../../shared/task/parse.js";
import { smallTask } from "../support/small-task.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const task = parseTask(smallTask);
const anywhere = { host: "127.0.0.1", port: 0 } as const;
const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(folder: string, changes: Partial<ServerHostConfig> = {}): Promise<ServerHost> {
  const host = await startServerHost(
    {
      ...{ task, folder: join(temp.path, folder), http: anywhere },
      broker: { kind: "embedded", listeners: [{ kind: "tcp", ...anywhere }] },
      ...changes,
    },
    { logger: silentLogger },
  );
  opened.push(() => host.stop());
  return host;
}

test("a device is let in with what it was enrolled with, and cut off as soon as another process revokes it", async () => {
  const host = await start("revokes");
  const fleet = openFleetFolder(join(temp.path, "revokes"), { clock: systemClock });
  opened.push(async () => fleet.close());
  const device = "pump-1" as DeviceId;
  const { password } = fleet.enrolled.enrol(device);
  const endpoint = { url: host.brokerUrls[0]!, username: device, password };
  const pump = openSession(device, { endpoint });
  opened.push(() => pump.session.close());
  await until(() => pump.connects === 1);
  fleet.enrolled.revoke(device);
  await until(() => pump.disconnects === 1);
  await until(() => pump.log.some(({ fields }) => /Not authorized|Bad user/i.test(String(fields.reason))));
  expect(pump.connects).toBe(1);
});

test("what fails late lets go of what was opened early", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  opened.push(async () => void taken.close());
  await expect(start("late", { http: { host: "127.0.0.1", port } })).rejects.toMatchObject({
    code: "address-unusable",
    message: expect.stringContaining(`cannot listen on http 127.0.0.1:${port}`),
  });
  await start("late");
});

test("without its broker a server lives, is not ready, and says why", async () => {
  const url = "mqtt://127.0.0.1:1";
  const host = await start("away", { broker: { kind: "external", endpoint: { url } } });
  const ready = await fetch(`${host.httpUrl}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({
    status: "not-ready",
    reason: `the broker ${url} cannot be reached`,
  });
  expect((await fetch(`${host.httpUrl}/health/live`)).status).toBe(200);
});

test("a server that has stopped leaves its folder, its ports and its devices alone", async () => {
  const host = await start("stops");
  const [url] = host.brokerUrls;
  await host.stop();
  await expect(fetch(`${host.httpUrl}/health/live`)).rejects.toThrow();
  const port = Number(new URL(url!).port);
  const again = await start("stops", {
    broker: { kind: "embedded", listeners: [{ kind: "tcp", host: "127.0.0.1", port }] },
  });
  expect(again.brokerUrls).toEqual([url]);
});
