// A device as its process runs it, asked over HTTP.

import { expect, test } from "vitest";
import { loadDeviceConfig } from "../../device/host/config.js";
import { startDeviceHost } from "../../device/host/host.js";
import { silentLogger } from "../../shared/log.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { deviceId, taskId } from "../support/device-kit.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();
const token = "0123456789abcdef";

test("answers for itself without a server, to who has its token, and to nobody once it has stopped", async () => {
  const credential = {
    ...{ device: deviceId("pump-1"), task: taskId("linear"), password: "a-password-of-some-length" },
    ...{ privateKey: Buffer.alloc(32, 1), serverKey: Buffer.alloc(32, 2) },
  };
  temp.write("pump-1.json", formatCredential(credential));
  const text = `server: mqtt://127.0.0.1:1
credential: pump-1.json
data: data
http: { listen: 127.0.0.1:0, token: ${token} }
`;
  const host = await startDeviceHost(loadDeviceConfig(temp.write("device.yaml", text)), {
    logger: silentLogger,
  });
  const url = `http://127.0.0.1:${host.httpAddress()?.port}`;
  try {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    const page = await (await fetch(`${url}/metrics`, { headers })).text();
    expect(page).toContain('headwater_connected{link="server"} 0\n');
    expect(page).toContain('headwater_events_total{part="http",reason="unauthorized"} 1\n');
    expect((await fetch(`${url}/health/live`, { headers })).status).toBe(200);
    expect(await (await fetch(`${url}/health/ready`, { headers })).json()).toEqual({
      status: "not-ready",
      reason: "no task yet",
    });
  } finally {
    await host.stop();
  }
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();
});
