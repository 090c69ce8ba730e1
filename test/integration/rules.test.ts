// Rules from rows to messages, over real brokers and a real database.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RowWatcher } from "../../device/row-watcher.js";
import type { Rule } from "../../device/rules/rule.js";
import { Rules } from "../../device/rules/rules.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { type Logger, silentLogger } from "../../shared/log.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { createDevice, createDisk, type Disk } from "../support/device-kit.js";
import { linearReadings, linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { hasMosquitto, type Mosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { RawMqtt } from "../support/raw-mqtt.js";
import { ruleOf } from "../support/rule.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { testEngines } from "../support/test-engines.js";
import { until } from "../support/until.js";

const task = { columns: ["temp", "rpm"], hasProbability: false, hasAnomaly: false };
const closers: (() => Promise<void>)[] = [];
let url: string;
let disk: Disk;
let warnings: string[];

beforeEach(async () => {
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  url = broker.url;
  disk = createDisk();
  warnings = [];
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const logger: Logger = {
  ...silentLogger,
  warn: (_fields, message) => void warnings.push(message),
  child: () => silentLogger,
};

/** A rule on the test's broker. */
function rule({ publish, ...changes }: Parameters<typeof ruleOf>[0] = {}): Rule {
  return ruleOf({ ...changes, publish: { endpoint: { url }, ...publish } });
}

function start(...rules: readonly Rule[]) {
  const counters = new Counters();
  const running = new Rules({
    ...{ rules, device: "pi", database: disk.telemetry, clock: systemClock, logger, counters },
  });
  let isClosed = false;
  const stop = async () => {
    if (!isClosed) await running.close();
    isClosed = true;
  };
  closers.push(stop);
  return { rules: running, counters, stop };
}

/** Hears everything under `alarms/`, as text. */
async function listen(name = "listener"): Promise<{ heard(): readonly string[]; client: RawMqtt }> {
  const client = await RawMqtt.connect(url, name);
  await client.subscribe("alarms/#");
  const heard: string[] = [];
  return {
    client,
    heard() {
      for (let at = find(client); at >= 0; at = find(client)) {
        const [packet] = client.packets.splice(at, 1);
        if (packet?.cmd !== "publish") continue;
        heard.push(`${packet.retain ? "retained " : ""}${packet.topic} ${packet.payload.toString()}`);
        if (packet.qos === 1) client.send({ cmd: "puback", messageId: packet.messageId! });
      }
      return heard;
    },
  };
}

function find(client: RawMqtt): number {
  return client.packets.findIndex(({ cmd }) => cmd === "publish");
}

function temp(watcher: RowWatcher, timeMs: number, value: number, entity = "pump"): void {
  watcher.features({ entity, timeMs, features: Float32Array.of(value, 0), test: false });
}

test("a raise and a clear are one JSON message each", async () => {
  const { heard } = await listen();
  const { rules, counters } = start(rule({ hysteresis: 5, raiseAfter: { kind: "time", ms: 30 } }));
  const watcher = rules.bind(task);
  for (const [timeMs, value] of [
    [0, 70],
    [10, 81],
    [40, 82],
  ] as const)
    temp(watcher, timeMs, value);
  await until(() => heard().length === 1);
  temp(watcher, 50, 76);
  temp(watcher, 60, 75);
  await until(() => heard().length === 2);
  expect(heard().map((text) => text.split(" ")[0])).toEqual(["alarms/pi/hot/pump", "alarms/pi/hot/pump"]);
  expect(heard().map((text) => JSON.parse(text.split(" ")[1]!))).toEqual([
    {
      rule: "hot",
      state: "raised",
      entity: "pump",
      of: "temp",
      timeMs: 40,
      sinceMs: 10,
      value: 82,
      threshold: 80,
    },
    {
      rule: "hot",
      state: "cleared",
      entity: "pump",
      of: "temp",
      timeMs: 60,
      sinceMs: 60,
      value: 75,
      threshold: 80,
    },
  ]);
  expect(counters.toJSON()).toMatchObject({ "rules.raised": 1, "rules.cleared": 1, "rules.said": 2 });
});

test("retained ON and OFF are there from the first value, for who comes later", async () => {
  const { rules, counters } = start(rule({ staleMs: 1000, publish: { retain: true, payload: "onoff" } }));
  const watcher = rules.bind(task);
  temp(watcher, 0, 70, "a/b");
  temp(watcher, 0, 90, "c");
  await until(() => counters.get("rules.said") === 2);
  const { heard } = await listen();
  await until(() => heard().length === 2);
  expect(heard().toSorted()).toEqual(["retained alarms/pi/hot/a%2Fb OFF", "retained alarms/pi/hot/c ON"]);
  watcher.passed(1001);
  await until(() => heard().length === 4);
  expect(heard().slice(2).toSorted()).toEqual(["alarms/pi/hot/a%2Fb None", "alarms/pi/hot/c None"]);
});

describe("a restart", () => {
  test("neither raises again nor forgets, though the rows before it are replayed", async () => {
    const { heard } = await listen();
    const first = start(rule());
    temp(first.rules.bind(task), 100, 90);
    await until(() => first.counters.get("rules.said") === 1);
    await first.stop();
    const second = start(rule());
    const watcher = second.rules.bind(task);
    for (const [timeMs, value] of [
      [50, 20],
      [100, 90],
      [150, 91],
      [200, 70],
    ] as const)
      temp(watcher, timeMs, value);
    await until(() => second.counters.get("rules.said") === 1);
    expect(heard().map((text) => JSON.parse(text.split(" ")[1]!).state)).toEqual(["raised", "cleared"]);
    expect(second.counters.toJSON()).toEqual({ "rules.cleared": 1, "rules.old-value": 2, "rules.said": 1 });
  });

  test("says what was not said before it", async () => {
    const first = start(ruleOf({ publish: { endpoint: { url: "mqtt://127.0.0.1:1" } } }));
    temp(first.rules.bind(task), 100, 90);
    await first.stop();
    const { heard } = await listen();
    const second = start(rule());
    await until(() => heard().length === 1);
    expect(heard()[0]).toContain('"state":"raised"');
    await until(() => second.counters.get("rules.said") === 1);
    await second.stop();
    const third = start(rule(), rule({ name: "other", above: 10 }));
    temp(third.rules.bind(task), 200, 50);
    await until(() => heard().length === 3);
    expect(
      heard()
        .slice(1)
        .map((text) => JSON.parse(text.split(" ")[1]!)),
    ).toMatchObject([
      { rule: "hot", state: "cleared" },
      { rule: "other", state: "raised" },
    ]);
  });

  test("without a rule forgets its alarms and says so", async () => {
    const first = start(rule());
    temp(first.rules.bind(task), 100, 90);
    await first.stop();
    const { counters } = start(rule({ name: "other" }));
    expect(counters.toJSON()).toEqual({ "rules.removed": 1 });
    expect(warnings).toEqual(["the config no longer has this alarm's rule"]);
    expect(disk.telemetry.all("SELECT * FROM alarm")).toEqual([]);
  });

  test("with a rule about other entities forgets the alarms of those before", async () => {
    const first = start(rule());
    temp(first.rules.bind(task), 100, 90);
    await first.stop();
    const { counters } = start(rule({ entities: ["fan-*"] }));
    expect(counters.toJSON()).toEqual({ "rules.removed": 1 });
  });
});

describe("another task", () => {
  test("with the column keeps the alarm; without it the alarm is unknown and the log says why", async () => {
    const { heard } = await listen();
    const { rules } = start(rule());
    temp(rules.bind(task), 0, 90);
    const next = rules.bind({ columns: ["rpm", "temp"], hasProbability: false, hasAnomaly: false });
    next.features({ entity: "pump", timeMs: 10, features: Float32Array.of(0, 91), test: false });
    await until(() => heard().length === 1);
    rules.bind({ columns: ["temp.mean", "rpm"], hasProbability: false, hasAnomaly: false });
    await until(() => heard().length === 2);
    expect(heard()[1]).toContain('"state":"unknown"');
    expect(warnings).toEqual(['rule hot rests: the task has no column "temp"']);
  });

  test("names the column that was meant, and probabilities that are none", () => {
    const { rules } = start(rule({ of: "tmep" }), rule({ name: "failing", of: "prediction.probability" }));
    rules.bind(task);
    expect(warnings).toEqual([
      'rule hot rests: the task has no column "tmep"; did you mean "temp"?',
      "rule failing rests: the model of this task gives no probabilities",
    ]);
  });
});

test("entities that overwrite each other on one topic are noticed once", () => {
  const { rules } = start(rule({ publish: { topic: "alarms/{rule}", retain: true } }));
  const watcher = rules.bind(task);
  for (const entity of ["a", "b", "c"]) temp(watcher, 0, 90, entity);
  expect(warnings).toEqual([expect.stringContaining("put {entity} into it")]);
});

test("a rule that flaps is held to its messages a minute, and ends with how things are", async () => {
  const { heard } = await listen();
  const { rules, counters } = start(rule({ publish: { perMinute: 600 } }));
  const watcher = rules.bind(task);
  await until(() => heard().length >= 0);
  for (let timeMs = 0; timeMs <= 10_000; timeMs++) temp(watcher, timeMs, timeMs % 2 === 0 ? 90 : 70);
  await until(() => heard().at(-1)?.includes('"timeMs":10000') === true);
  expect(heard().length).toBeLessThanOrEqual(620);
  expect(counters.get("rules.said") + counters.get("rules.superseded")).toBe(10_001);
});

describe.runIf(hasMosquitto)("a broker that forgets", () => {
  let mosquitto: Mosquitto;

  beforeEach(async () => {
    mosquitto = await startMosquitto();
    url = mosquitto.url;
    closers.push(() => mosquitto.close());
  });

  test(withMosquitto("what it had retained is told it again, and what happened meanwhile"), async () => {
    const { rules, counters } = start(rule({ publish: { retain: true, payload: "onoff" } }));
    const watcher = rules.bind(task);
    temp(watcher, 0, 90, "a");
    temp(watcher, 0, 90, "b");
    await until(() => counters.get("rules.said") === 2);
    await mosquitto.kill();
    temp(watcher, 10, 10, "b");
    await mosquitto.restart();
    const { heard } = await listen();
    await until(() => heard().length >= 2, 20_000);
    const last = new Map(heard().map((text) => text.replace("retained ", "").split(" ") as [string, string]));
    expect(Object.fromEntries(last)).toEqual({ "alarms/pi/hot/a": "ON", "alarms/pi/hot/b": "OFF" });
  });
});

describe("in a device", () => {
  const engines = testEngines();

  test("rules see the columns and the predictions of the task that runs", async () => {
    const { heard } = await listen();
    const { rules } = start(
      rule({ name: "column", of: "a", above: -100 }),
      rule({ name: "model", of: "prediction.value", above: 50 }),
    );
    const clock = new ManualClock();
    const memory = createMemoryBroker({ clock });
    const server = new ScriptedServer(memory, linearTask());
    await server.retainTask();
    const watchRows = (watched: Parameters<typeof rules.bind>[0]) => rules.bind(watched);
    const pump = createDevice({ name: "pump-1", clock, broker: memory, engines, disk, agent: { watchRows } });
    await pump.agent.start();
    await clock.until(() => pump.of("task-adopted").length > 0);
    // 0 a + 0 b + 100 for every row.
    const params = Float32Array.of(0, 0, 100);
    const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 0, factor: 1 } };
    await server.retainStable(await server.version(1, engines.runtime, { params, scaler }));
    await clock.until(() => pump.of("serving").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 20));
    await until(() => heard().length === 2);
    expect(heard().map((text) => JSON.parse(text.split(" ")[1]!))).toMatchObject([
      { rule: "column", state: "raised", entity: "pump-1", of: "a" },
      { rule: "model", state: "raised", entity: "pump-1", of: "prediction.value", value: 100 },
    ]);
    pump.kill();
  });
});
