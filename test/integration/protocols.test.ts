// One `headwater device` process and the sensors of a whole house on one broker, each speaking its own protocol: what
// every one of them said is found in the examples.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { get } from "sparkplug-payload";
import { afterEach, describe, expect, test } from "vitest";
import { planPipeline } from "../../shared/pipeline/plan.js";
import { parseTask } from "../../shared/task/parse.js";
import { prepareDevice } from "../support/kill-lab.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const late = "late: { disorder: 0s, idle: 2s }";
const task = parseTask(`task: linear
sources:
  vib:
    mqtt: lab/vib
    decode: { samples: { type: i16, channels: [a], length: 64, rate: 100Hz, scale: 0.001, header: { bytes: 8, time: { at: 0, unit: ms } } } }
    ${late}
  press: { mqtt: spBv1.0/plant/+/press/#, decode: sparkplug, fields: { bar: Line/Pressure }, ${late} }
  room: { mqtt: zigbee2mqtt/attic/desk, decode: zigbee2mqtt, ${late} }
  plug: { mqtt: tele/plug/SENSOR, decode: { tasmota: { zone: UTC } }, fields: { power: ENERGY.Power }, ${late} }
  tank: { mqtt: lab/senml, decode: senml, ${late} }
  machine: { host: { every: 1s }, ${late} }
steps:
  shaken: { from: vib, do: [{ stats: { of: a, get: [rms] } }] }
join:
  rows:
    left: shaken
    asof:
      press: { take: [bar], back: 10m }
      room: { take: [temperature], back: 10m }
      plug: { take: [power], back: 10m }
      tank: { take: [level], back: 10m }
      machine: { take: [memory_used_share], back: 10m }
features:
  from: rows
  list: [{ copy: [a.rms, bar, temperature, power, level, memory_used_share] }]
label: { field: a.rms }
rows: { split: { validation: 0% } }
model: { dense: [4] }
`);

/** What each sensor says in second `second`, as it says it. */
function messagesAt(
  nowMs: number,
  second: number,
): readonly (readonly [topic: string, payload: Uint8Array])[] {
  const iso = new Date(nowMs).toISOString().slice(0, 19);
  const block = Buffer.alloc(8 + 2 * 64);
  block.writeBigUInt64LE(BigInt(nowMs), 0);
  for (let i = 0; i < 64; i++) block.writeInt16LE(i % 2 === 0 ? 500 : -500, 8 + 2 * i);
  const sparkplug = get("spBv1.0")!;
  const pressure = { name: "Line/Pressure", alias: 7, type: "Double" as const, value: 3.25 };
  const birth = {
    timestamp: nowMs,
    seq: 0,
    metrics: [{ name: "bdSeq", type: "UInt64" as const, value: 0 }, pressure],
  };
  const data = {
    timestamp: nowMs,
    seq: second % 256,
    metrics: [{ alias: 7, type: "Double" as const, value: 3.25 }],
  };
  return [
    second === 0
      ? ["spBv1.0/plant/NBIRTH/press", sparkplug.encodePayload(birth)]
      : // The type says that a metric has a name; by the protocol an alias is enough.
        ["spBv1.0/plant/NDATA/press", sparkplug.encodePayload(data as unknown as typeof birth)],
    ["zigbee2mqtt/attic/desk", Buffer.from('{"temperature":21.5,"linkquality":80}')],
    ["tele/plug/SENSOR", Buffer.from(JSON.stringify({ Time: iso, ENERGY: { Power: 60 } }))],
    [
      "lab/senml",
      Buffer.from(JSON.stringify([{ bn: "tank:", bt: nowMs / 1000, n: "level", u: "m", v: 1.75 }])),
    ],
    ["lab/vib", block],
  ];
}

describe.skipIf(!hasMosquitto)(withMosquitto("a device among sensors of every kind"), () => {
  test("has what each of them said in its examples, and what it measures of itself", async () => {
    const folder = join(temp.path, "house");
    mkdirSync(folder);
    const mosquitto = await startMosquitto();
    closing.push(() => mosquitto.close());
    const broker = `{ broker: "${mosquitto.url}" }`;
    const names = ["vib", "press", "room", "plug", "tank"];
    const lab = prepareDevice(
      folder,
      task,
      `sources: { ${names.map((name) => `${name}: ${broker}`).join(", ")} }\n`,
    );
    const device = lab.start();
    closing.push(() => device.stop());
    await device.said(/connected to the broker/);
    const sensor = openSession("sensors", { endpoint: { url: mosquitto.url } });
    closing.push(() => sensor.session.close());
    await until(() => sensor.session.isConnected);
    let second = 0;
    await until(async () => {
      for (const [topic, payload] of messagesAt(Date.now(), second))
        await sensor.session.publish(topic, payload);
      second += 1;
      return lab.examples().length >= 3;
    }, 60_000);
    const { columns } = planPipeline(task.task);
    const features = Buffer.from(lab.examples().at(-1)!.split(" ")[4]!, "hex");
    const last = Object.fromEntries(columns.map((column, i) => [column, features.readFloatLE(4 * i)]));
    const { memory_used_share: used, ...said } = last;
    expect(said).toEqual({ "a.rms": 0.5, bar: 3.25, temperature: 21.5, power: 60, level: 1.75 });
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(1);
  }, 90_000);
});
