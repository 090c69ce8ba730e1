import { describe, expect, test } from "vitest";
import { loadDeviceConfig } from "../../../../device/host/config.js";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { formatCredential } from "../../../../shared/wire/credential.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const credential = {
  device: "pump-1" as DeviceId,
  task: "pumps" as TaskId,
  password: "a-password-of-some-length",
  privateKey: Buffer.alloc(32, 1),
  serverKey: Buffer.alloc(32, 2),
};
temp.write("pump-1.json", formatCredential(credential));

const required = `server: mqtt://192.168.1.10:1883
credential: pump-1.json
data: data
`;

function load(text: string) {
  return loadDeviceConfig(temp.write("device.yaml", text));
}

test("paths are relative to the file, and the rest has defaults", () => {
  expect(load(required)).toEqual({
    server: { url: "mqtt://192.168.1.10:1883", ca: undefined },
    credential,
    data: `${temp.path}/data`,
    log: "info",
    sources: {},
    replay: undefined,
    predictions: undefined,
    rules: [],
    limits: { diskBytes: 1e9, maxLoad: undefined, minFreeMemory: undefined, quiet: undefined },
  });
});

test("everything can be said", () => {
  const config = load(`${required}log: warn
replay: 3600x
sources:
  pump: { broker: "ws://localhost:9001", username: me, password: secret, topic: plant/+/telemetry }
predictions: { broker: "mqtt://localhost" }
rules:
  hot: { of: temp.mean, above: 80, hysteresis: 5, for: 30s, publish: { broker: "mqtt://localhost", retain: true } }
limits: { disk: 64MiB, load: 80%, freeMemory: 128MiB, quiet: 22:00-06:00 }
`);
  expect(config).toMatchObject({
    log: "warn",
    replay: 3600,
    sources: {
      pump: {
        endpoint: { url: "ws://localhost:9001", username: "me", password: "secret" },
        topic: "plant/+/telemetry",
      },
    },
    predictions: { topic: "headwater/pump-1/prediction" },
    rules: [{ name: "hot", of: "temp.mean", above: 80, publish: { retain: true } }],
    limits: {
      diskBytes: 2 ** 26,
      maxLoad: 0.8,
      minFreeMemory: 2 ** 27,
      quiet: { fromMinute: 1320, toMinute: 360 },
    },
  });
});

describe("what is wrong is named with its line and key", () => {
  test.each([
    ["sever: x\n", /line 4: .*sever.*server/],
    ["sources: { pump: { broker: localhost } }\n", /line 4: sources\.pump\.broker: expected mqtt:\/\//],
    ["replay: 3600\n", /line 4: replay: expected a speed such as 3600x/],
    ["limits: { quiet: night }\n", /line 4: limits\.quiet: expected times of day/],
    ["limits: { load: 0.8 }\n", /line 4: limits\.load: expected a percentage/],
    [
      "rules: { hot: { of: temp, publish: { broker: mqtt://x } } }\n",
      /line 4: rules\.hot: expected "above", "below" or both/,
    ],
    ['predictions: { broker: "mqtt://x", topic: "a/#" }\n', /predictions\.topic: expected a topic/],
  ])("%j", (text, message) => {
    expect(() => load(required + text)).toThrow(message);
  });

  test("a credential that is not there, or is none", () => {
    expect(() => load(required.replace("pump-1.json", "pump-2.json"))).toThrow(/cannot read the credential/);
    temp.write("broken.json", "{}");
    expect(() => load(required.replace("pump-1.json", "broken.json"))).toThrow(
      /broken\.json is no credential: v: /,
    );
  });
});
