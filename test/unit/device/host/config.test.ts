import { describe, expect, test } from "vitest";
import { loadDeviceConfig, withLabels } from "../../../../device/host/config.js";
import { sourceKinds } from "../../../../device/ingest/sources/registry.js";
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
    predictions: { keep: { rows: 10_000, ageMs: undefined, bytes: undefined }, publish: undefined },
    rules: [],
    rawLog: { durability: "normal", keepMs: 7 * 86_400_000, bytes: 5e8 },
    labels: {},
    http: undefined,
    limits: { diskBytes: 1e9, maxLoad: undefined, minFreeMemory: undefined, quiet: undefined },
  });
});

describe("labels", () => {
  test("say what the device is, and others count for more", () => {
    const { labels } = load(`${required}labels: { site: lab, line: "3" }\n`);
    expect(labels).toEqual({ site: "lab", line: "3" });
    expect(withLabels(labels, { site: "field" })).toEqual({ site: "field", line: "3" });
  });

  test("are words, and not too many", () => {
    expect(() => load(`${required}labels: { "a b": x }\n`)).toThrow(/labels/);
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, "x"]));
    const more = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`b${i}`, "x"]));
    expect(() => withLabels(many, more)).toThrow("more than 16 labels");
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
rawLog: { durability: full, keep: { age: 30d, size: 2GB } }
limits: { disk: 64MiB, load: 80%, freeMemory: 128MiB, quiet: 22:00-06:00 }
`);
  expect(config).toMatchObject({
    log: "warn",
    replay: 3600,
    sources: {
      pump: {
        kind: "mqtt",
        endpoint: { url: "ws://localhost:9001", username: "me", password: "secret" },
        topic: "plant/+/telemetry",
        isPersistent: true,
      },
    },
    predictions: {
      publish: { topic: "headwater/pump-1/prediction", retainedEntities: 0 },
      keep: { rows: 10_000 },
    },
    rules: [{ name: "hot", of: "temp.mean", above: 80, publish: { retain: true } }],
    rawLog: { durability: "full", keepMs: 30 * 86_400_000, bytes: 2e9 },
    limits: {
      diskBytes: 2 ** 26,
      maxLoad: 0.8,
      minFreeMemory: 2 ** 27,
      quiet: { fromMinute: 1320, toMinute: 360 },
    },
  });
});

describe("http", () => {
  const httpOf = (text: string) => load(`${required}http: ${text}\n`).http;
  const token = "0123456789abcdef";

  test("listens on loopback, and elsewhere with a token", () => {
    expect(httpOf("{}")).toEqual({ host: "127.0.0.1", port: 9464, token: undefined });
    expect(httpOf("{ listen: '[::1]:80' }")).toEqual({ host: "::1", port: 80, token: undefined });
    expect(httpOf(`{ listen: 0.0.0.0:1, token: ${token} }`)).toEqual({ host: "0.0.0.0", port: 1, token });
    expect(() => httpOf("{ listen: 0.0.0.0:1 }")).toThrow("expected a token, or 127.0.0.1");
  });

  test("says what is wrong with an address or a token", () => {
    expect(() => httpOf("{ listen: nowhere }")).toThrow("expected HOST:PORT such as 127.0.0.1:9464");
    expect(() => httpOf("{ listen: 127.0.0.1:70000 }")).toThrow("expected HOST:PORT");
    expect(() => httpOf("{ token: short }")).toThrow("expected at least 16 characters");
  });

  test("has a port that no source has", () => {
    const source = "sources: { s: { http: { port: 9464, path: /in } } }";
    expect(() => load(`${required}${source}\nhttp: {}\n`)).toThrow(
      "port 9464 is where the device itself answers",
    );
  });
});

describe("a source", () => {
  const sourcesOf = (text: string) => load(`${required}sources:\n  s: ${text}\n`);

  test("that is pushed listens on loopback, and elsewhere with a token", () => {
    expect(sourcesOf("{ http: { port: 8081, path: /in } }").sources.s).toEqual({
      ...{ kind: "http", host: "127.0.0.1", port: 8081, path: "/in", token: undefined, topic: undefined },
      limits: { rate: undefined, burst: 100, messages: 1000, bytes: 2 ** 22 },
    });
    const open = "{ http: { port: 8081, path: /in, host: '::', token: 0123456789abcdef } }";
    expect(sourcesOf(open).sources.s).toMatchObject({ host: "::", token: "0123456789abcdef" });
  });

  test("has its limits in base units", () => {
    const text = "{ stdin: true, limit: { rate: 90/m, burst: 5, messages: 10, size: 1MB } }";
    expect(sourcesOf(text).sources.s).toMatchObject({
      limits: { rate: 1.5, burst: 5, messages: 10, bytes: 1e6 },
    });
  });

  test("that is a file lies beside the config, and is read as fast as it can be", () => {
    const config = sourcesOf("{ file: data/*.csv }");
    expect(config.sources.s).toMatchObject({
      path: `${temp.path}/data/*.csv`,
      isFollowed: false,
      speed: Infinity,
    });
    expect(config.replay).toBe(Infinity);
  });

  test.each([
    ["{ file: a.csv, speed: 60x }", 60],
    ["{ file: a.csv, follow: true }", undefined],
    ["{ stdin: true }", undefined],
    ["{ stdin: true, speed: 2x }", 2],
    ["{ host: { every: 10s } }", undefined],
    ["{ file: a.csv }\n  t: { host: {} }", undefined],
    ["{ file: a.csv }\nreplay: 30x", 30],
  ])("%s: the replay's speed is %s", (text, speed) => {
    expect(sourcesOf(text).replay).toBe(speed);
  });

  test("that is a file goes at the speed of the replay it is part of", () => {
    expect(sourcesOf("{ file: a.csv }\nreplay: 30x").sources.s).toMatchObject({ speed: 30 });
  });
});

test("the example of every kind of source can be read", () => {
  for (const { example } of Object.values(sourceKinds)) {
    expect(Object.keys(load(required + example).sources).length).toBeGreaterThan(0);
  }
});

describe("what is wrong is named with its line and key", () => {
  test.each([
    ["sever: x\n", /line 4: .*sever.*server/],
    ["sources: { pump: {} }\n", /sources\.pump: expected exactly one of broker, http, .*: there is none/],
    [
      'sources: { pump: { stdin: true, file: "a" } }\n',
      /sources\.pump: expected exactly one of .*: there is file and stdin/,
    ],
    ["sources: { pump: { fil: a } }\n", /sources\.pump\.fil: unknown key "fil".*file/],
    [
      "sources: { pump: { stdin: true, follow: true } }\n",
      /pump\.follow: goes with "file", not with "stdin"/,
    ],
    ["sources: { pump: { file: a, persistent: true } }\n", /pump\.persistent: goes with "broker"/],
    ["sources: { pump: { host: {}, limit: {} } }\n", /pump\.limit: goes with .*, not with "host"/],
    ["sources: { pump: { host: { every: 1ms } } }\n", /pump\.host\.every: expected a duration from 1s to 1h/],
    ["sources: { pump: { file: a.gz, follow: true } }\n", /pump\.follow: a packed file does not grow/],
    ["sources: { pump: { file: a, follow: true, speed: 2x } }\n", /pump\.speed: what is followed comes as/],
    ["sources: { pump: { file: a, speed: fast } }\n", /pump\.speed: expected a speed such as 3600x, or max/],
    ["sources: { pump: { file: a, topic: a/+ } }\n", /pump\.topic: expected a topic: only a broker/],
    ["sources: { pump: { stdin: true, limit: { rate: 5 } } }\n", /limit\.rate: expected messages per time/],
    [
      "sources: { pump: { http: { port: 80, path: /a, host: 0.0.0.0 } } }\n",
      /pump\.http: whoever reaches 0\.0\.0\.0 could send what it likes: expected a token/,
    ],
    ["sources: { pump: { http: { port: 80, path: a } } }\n", /http\.path: expected a path such as \/ingest/],
    ["sources: { pump: { http: { port: 80, path: /a, token: x } } }\n", /at least 16 characters/],
    [
      "sources: { a: { http: { port: 80, path: /a } }, b: { http: { port: 80, path: /a } } }\n",
      /sources\.b: a has path \/a of port 80 already/,
    ],
    ["sources: { a: { stdin: true }, b: { stdin: true } }\n", /sources\.b: a has the standard input already/],
    [
      "sources: { a: { file: a, speed: 60x }, b: { file: b, speed: 30x } }\n",
      /sources\.b: a replay is of all sources at one speed: this is 30x, another is 60x/,
    ],
    ["sources: { a: { file: a, speed: 60x }, b: { stdin: true } }\n", /sources\.b: .*this is live/],
    [
      "replay: 60x\nsources: { a: { file: a, speed: max } }\n",
      /sources\.a: .*as fast as possible, another is 60x/,
    ],
    ["sources: { pump: { broker: localhost } }\n", /line 4: sources\.pump\.broker: expected mqtt:\/\//],
    ["replay: 3600\n", /line 4: replay: expected a speed such as 3600x/],
    ["rawLog: { durability: none }\n", /line 4: rawLog\.durability: .*"normal".*"full"/],
    ["rawLog: { keep: { size: 10kB } }\n", /line 4: rawLog\.keep\.size: expected a size/],
    ["limits: { quiet: night }\n", /line 4: limits\.quiet: expected times of day/],
    ["limits: { load: 0.8 }\n", /line 4: limits\.load: expected a percentage/],
    [
      "rules: { hot: { of: temp, publish: { broker: mqtt://x } } }\n",
      /line 4: rules\.hot: expected "above", "below" or both/,
    ],
    ['predictions: { broker: "mqtt://x", topic: "a/#" }\n', /predictions\.topic: expected a topic/],
    ["predictions: { retain: true }\n", /line 4: predictions\.retain: only a broker keeps messages/],
    ["predictions: { keep: { rows: 10 } }\n", /predictions\.keep\.rows: .*1000/],
    ["predictions: { keep: { for: 1m } }\n", /predictions\.keep\.for: expected a duration/],
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
