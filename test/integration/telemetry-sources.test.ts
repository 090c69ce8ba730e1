// A task's sources where its owner has them: several brokers that keep what was missed, pushes, files, the machine itself.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "mqtt-packet";
import { afterEach, describe, expect, test } from "vitest";
import type { Telemetry } from "../../device/host/telemetry.js";
import { defaultSourceLimits, type SourceBinding } from "../../device/ingest/sources/binding.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { systemClock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { parseTask } from "../../shared/task/parse.js";
import { type DirectTelemetryOptions, directTelemetry } from "../support/direct-telemetry.js";
import { freePort } from "../support/free-port.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { politeScript, startScriptedBroker } from "../support/scripted-broker.js";
import { onBroker } from "../support/source-lab.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import { createGate } from "../support/transport-ends.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

function keep<Part extends { close(): Promise<void> }>(part: Part): Part {
  opened.push(part);
  return part;
}

/** Joins `air` with `door`; each is written as the test says. */
function task(sources: { readonly air: string; readonly door?: string }) {
  const { air, door } = sources;
  const join_ =
    door === undefined ? "" : "join: { both: { left: air, asof: { door: { take: [open], back: 1h } } } }";
  return parseTask(`task: lab
entity: "{topic.1}"
sources:
  air: ${air}
${door === undefined ? "" : `  door: ${door}`}
${join_}
features: { from: ${door === undefined ? "air" : "both"}, list: [{ copy: [v] }], scale: none }
label: { field: v, scale: none }
model: { dense: [2] }
`).task;
}

const number = (topic: string, field = "v") => `{ mqtt: "${topic}", decode: number, field: ${field} }`;

interface Heard {
  readonly telemetry: Telemetry;
  readonly readings: readonly Reading[];
  readonly counters: Counters;
  readonly ends: { count: number };
  /** Source, entity and first value of each. */
  readonly said: readonly string[];
}

/** A device that has not been given a task. */
function listener(
  bindings: Readonly<Record<string, SourceBinding>>,
  options: Omit<DirectTelemetryOptions, "bindings"> = {},
): Heard {
  const { telemetry, readings, counters, ends } = directTelemetry({ bindings, ...options });
  keep(telemetry);
  return {
    ...{ telemetry, readings, counters, ends },
    get said() {
      return readings.map(
        ({ source, entity, values }) => `${source} ${entity} ${String(Object.values(values)[0])}`,
      );
    },
  };
}

async function sensorOn(url: string) {
  const { session } = openSession("sensor", { endpoint: { url } });
  keep(session);
  await until(() => session.isConnected);
  return (topic: string, value: string | number) => session.publish(topic, Buffer.from(String(value)));
}

async function telemetryBroker() {
  return keep(await startTelemetryBroker({ logger: silentLogger })).url;
}

describe("brokers", () => {
  test("several at once: each source from its own, all of the task's sources", async () => {
    const [indoor, outdoor] = [await telemetryBroker(), await telemetryBroker()];
    const heard = listener({ air: onBroker(indoor), door: onBroker(outdoor) });
    await heard.telemetry.follow(task({ air: number("air/+"), door: number("door/+", "open") }));
    await until(() => heard.telemetry.isConnected);
    const [inside, outside] = [await sensorOn(indoor), await sensorOn(outdoor)];
    await inside("air/a", 1);
    await outside("door/a", 2);
    // On the wrong one.
    await outside("air/b", 3);
    await inside("air/c", 4);
    await until(() => heard.readings.length === 3);
    expect([...heard.said].sort()).toEqual(["air a 1", "air c 4", "door a 2"]);
  });

  test("a message that two sources want is both's", async () => {
    const url = await telemetryBroker();
    const heard = listener({ air: onBroker(url), door: onBroker(url) });
    await heard.telemetry.follow(task({ air: number("x/+"), door: number("x/#", "open") }));
    await until(() => heard.telemetry.isConnected);
    await (await sensorOn(url))("x/a", 1);
    await until(() => heard.readings.length >= 2);
    expect([...heard.said].sort()).toEqual(["air a 1", "door a 1"]);
  });

  test("a source with a rate of its own waits, and holds up nobody else", async () => {
    const url = await telemetryBroker();
    const limits = { ...defaultSourceLimits, rate: 20, burst: 1 };
    const heard = listener({ air: onBroker(url, { limits }), door: onBroker(url) });
    await heard.telemetry.follow(task({ air: number("air/+"), door: number("door/+", "open") }));
    await until(() => heard.telemetry.isConnected);
    const say = await sensorOn(url);
    for (let i = 0; i < 6; i++) await say("air/a", i);
    await say("door/a", 7);
    await until(() => heard.said.includes("door a 7"));
    expect(heard.said.length).toBeLessThan(7);
    await until(() => heard.readings.length === 7);
    expect(heard.said.filter((text) => text.startsWith("air"))).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => `air a ${i}`),
    );
  });

  test.each([
    [0, "is dropped and counted once the queue is full", 3],
    [1, "is held back until there is room", 0],
  ] as const)("what is published with QoS %i %s", async (qos, _, dropped) => {
    const gate = createGate();
    const { url } = keep(
      await startScriptedBroker((packet, answer) => {
        politeScript(packet, answer);
        if (packet.cmd !== "subscribe") return;
        for (let id = 1; id <= 5; id++) {
          const flags = { cmd: "publish", qos, dup: false, retain: false } as const;
          const message = { ...flags, topic: "air/a", payload: String(id) };
          answer(generate(qos === 0 ? message : { ...message, messageId: id }));
        }
      }),
    );
    const limits = { ...defaultSourceLimits, messages: 2 };
    const heard = listener({ air: onBroker(url, { limits }) }, { safe: () => gate.opened });
    await heard.telemetry.follow(task({ air: number("air/+") }));
    await until(() => heard.telemetry.isConnected);
    await until(() => heard.counters.get("telemetry.queue-full") === dropped);
    gate.open();
    await until(() => heard.readings.length === 5 - dropped);
    expect(heard.counters.get("telemetry.queue-full")).toBe(dropped);
  });
});

describe.skipIf(!hasMosquitto)(withMosquitto("over Mosquitto"), () => {
  const persistent = { isPersistent: true };

  test("what was published while the agent was down comes when it is there again, unless its owner has said no", async () => {
    const { url } = keep(await startMosquitto());
    const sources = task({ air: number("air/+") });
    const say = await sensorOn(url);
    for (const isPersistent of [true, false]) {
      const first = listener({ air: onBroker(url, { isPersistent }) });
      await first.telemetry.follow(sources);
      await until(() => first.telemetry.isConnected);
      await first.telemetry.close();
      await say("air/missed", 1);
      const second = listener({ air: onBroker(url, { isPersistent }) });
      await second.telemetry.follow(sources);
      await until(() => second.telemetry.isConnected);
      await say("air/live", 2);
      await until(() => second.said.includes("air live 2"));
      expect(second.said).toEqual(isPersistent ? ["air missed 1", "air live 2"] : ["air live 2"]);
      await second.telemetry.close();
    }
  });

  test("what was not safe when the agent went comes again", async () => {
    const { url } = keep(await startMosquitto());
    const sources = task({ air: number("air/+") });
    const say = await sensorOn(url);
    let calls = 0;
    const safe = () => {
      calls++;
      return new Promise<void>(() => undefined);
    };
    const stuck = listener({ air: onBroker(url, persistent) }, { safe });
    await stuck.telemetry.follow(sources);
    await until(() => stuck.telemetry.isConnected);
    for (let i = 0; i < 5; i++) await say("air/a", i);
    await until(() => calls === 5);
    await stuck.telemetry.close();
    const next = listener({ air: onBroker(url, persistent) });
    await next.telemetry.follow(sources);
    await until(() => next.readings.length === 5);
    expect(next.said).toEqual([0, 1, 2, 3, 4].map((i) => `air a ${i}`));
  });

  test("a task that follows another ends the subscriptions it has no use for, and keeps the others", async () => {
    const { url } = keep(await startMosquitto());
    const heard = listener({ air: onBroker(url, persistent), door: onBroker(url, persistent) });
    await heard.telemetry.follow(task({ air: number("old/+"), door: number("door/+", "open") }));
    await until(() => heard.telemetry.isConnected);
    await heard.telemetry.follow(task({ air: number("new/+"), door: number("door/+", "open") }));
    await until(() => heard.telemetry.isConnected);
    const say = await sensorOn(url);
    for (const topic of ["old/a", "door/a", "new/a"]) await say(topic, 1);
    await until(() => heard.readings.length === 2);
    expect(heard.said).toEqual(["door a 1", "air a 1"]);
    expect(heard.counters.get("telemetry.unsubscribed")).toBe(0);
  });

  test("the broker that crashes is come back to", async () => {
    const mosquitto = keep(await startMosquitto());
    const heard = listener({ air: onBroker(mosquitto.url, persistent) });
    await heard.telemetry.follow(task({ air: number("air/+") }));
    await until(() => heard.telemetry.isConnected);
    await mosquitto.kill();
    await until(() => !heard.telemetry.isConnected);
    await mosquitto.restart();
    await until(() => heard.telemetry.isConnected);
    await (await sensorOn(mosquitto.url))("air/a", 1);
    await until(() => heard.readings.length === 1);
  });
});

function fileAt(
  path: string,
  options: { readonly speed?: number; readonly isFollowed?: boolean } = {},
): SourceBinding {
  const { speed = Infinity, isFollowed = false } = options;
  return { kind: "file", path, speed, isFollowed, topic: undefined, limits: defaultSourceLimits };
}

const csv = "{ decode: csv, entity: '{tag.room}', time: { field: t, unit: s } }";

describe("files", () => {
  test("come to an end, and so do the data when every source has", async () => {
    const air = temp.write("air.csv", "t,room,v\n1767225600,a,1\n1767225660,b,2\n");
    const door = temp.write("door.csv", "t,room,open\n1767225600,a,0\n");
    const heard = listener({ air: fileAt(air), door: fileAt(door) });
    await heard.telemetry.follow(task({ air: csv, door: csv }));
    await until(() => heard.ends.count === 1);
    expect([...heard.said].sort()).toEqual(["air a 1", "air b 2", "door a 0"]);
    expect(heard.counters.toJSON()).toEqual({ "telemetry.taken": 3 });
  });

  test("do not end the data while another source is live", async () => {
    const air = temp.write("once.csv", "t,room,v\n1767225600,a,1\n");
    const door = temp.write("live.csv", "t,room,open\n1767225600,a,0\n");
    const heard = listener({ air: fileAt(air), door: fileAt(door, { isFollowed: true }) });
    await heard.telemetry.follow(task({ air: csv, door: csv }));
    await until(() => heard.readings.length === 2);
    await heard.telemetry.close();
    expect(heard.ends.count).toBe(0);
  });

  test("are replayed at their speed, several in step", async () => {
    const rows = [0, 60, 120, 180].map((second) => `${1767225600 + second},a,${second}\n`);
    const air = temp.write("slow.csv", `t,room,v\n${rows.join("")}`);
    const door = temp.write("slow-door.csv", `t,room,open\n${rows.join("")}`);
    const heardMs: number[] = [];
    const heard = listener(
      { air: fileAt(air, { speed: 1200 }), door: fileAt(door, { speed: 1200 }) },
      { safe: async () => void heardMs.push(systemClock.now()) },
    );
    await heard.telemetry.follow(task({ air: csv, door: csv }));
    await until(() => heard.ends.count === 1);
    expect(heardMs).toHaveLength(8);
    // Three minutes at 1200x are 150 ms; a wait of less than 5 ms is not waited.
    expect(heardMs.at(-1)! - heardMs[0]!).toBeGreaterThanOrEqual(145);
  });
});

test("a push is answered when its reading has gone through", async () => {
  const port = await freePort();
  const heard = listener({
    air: {
      ...{ kind: "http", host: "127.0.0.1", port, path: "/in" },
      ...{ token: undefined, topic: undefined, limits: defaultSourceLimits },
    },
  });
  await heard.telemetry.follow(task({ air: "{ time: { field: t, unit: s } }" }));
  const body = JSON.stringify([
    { t: 1767225600, v: 1 },
    { t: 1767225660, v: 2 },
  ]);
  const headers = { "content-type": "application/json" };
  const reply = await fetch(`http://127.0.0.1:${port}/in/roof`, { method: "POST", body, headers });
  expect(reply.status).toBe(202);
  expect(heard.said).toEqual(["air roof 1", "air roof 2"]);
  // The port is free for the next task's source.
  await heard.telemetry.follow(task({ air: "{ time: { field: t, unit: s } }" }));
  expect((await fetch(`http://127.0.0.1:${port}/in/roof`, { method: "POST", body, headers })).status).toBe(
    202,
  );
});

test("a task may ask for the machine itself, and its owner need not say where that is", async () => {
  const heard = listener({});
  const machine = parseTask(`task: lab
sources: { machine: { host: { every: 1s } } }
features: { from: machine, list: [{ copy: [cpu_share, memory_used_share] }], scale: none }
label: { field: load_1m, scale: none }
model: { dense: [2] }
`).task;
  await heard.telemetry.follow(machine);
  await until(() => heard.readings.length >= 2);
  const [first, second] = heard.readings;
  expect(first).toMatchObject({ source: "machine", entity: "pi-1" });
  expect(first!.timeMs % 1000).toBeLessThan(900);
  expect(second!.timeMs - first!.timeMs).toBeGreaterThan(500);
  for (const value of Object.values(second!.values)) expect(value).toBeTypeOf("number");
});

test("where a file was left is kept in the device's folder", async () => {
  const path = temp.write("kept.csv", "t,room,v\n1767225600,a,1\n");
  const heard = listener({ air: fileAt(path) }, { folder: temp.path });
  await heard.telemetry.follow(task({ air: csv }));
  await until(() => heard.ends.count === 1);
  const ledger = JSON.parse(readFileSync(join(temp.path, "sources", "air.json"), "utf8"));
  expect(ledger).toMatchObject({ path, segments: [{ file: path, start: 0 }] });
});
