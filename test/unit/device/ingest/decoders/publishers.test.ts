// Formats of particular publishers: Shelly, Zigbee2MQTT, Tasmota, ESPHome, Home Assistant; and CSV.

import { describe, expect, test } from "vitest";
import { ARRIVAL_MS, decoderLab, type TryMessage } from "../../../../support/decoder-lab.js";

const values = ({ readings }: ReturnType<TryMessage>) => readings.map((reading) => reading.values);

describe("shelly", () => {
  const source =
    '{ decode: shelly, fields: { a: "switch:0.apower", b: "switch:0.temperature.tC" }, entity: "{tag.device}" }';
  const notify = (method: string, params: object) => JSON.stringify({ src: "s", dst: "d", method, params });

  test("a notification changes what it mentions; a full one forgets the rest", async () => {
    const decode = await decoderLab(source);
    const topic = "home/shelly-1/events/rpc";
    const full = { ts: 5, "switch:0": { apower: 1, temperature: { tC: 40 } } };
    expect(values(decode(notify("NotifyFullStatus", full), topic))).toEqual([{ a: 1, b: 40 }]);
    expect(values(decode(notify("NotifyStatus", { ts: 6, "switch:0": { apower: 2 } }), topic))).toEqual([
      { a: 2, b: 40 },
    ]);
    expect(values(decode('{"temperature":{"tC":41}}', "home/shelly-1/status/switch:0"))).toEqual([
      { a: 2, b: 41 },
    ]);
    expect(decode(notify("NotifyStatus", { ts: 7, wifi: { rssi: -60 } }), topic).faults).toEqual([
      "no-field",
    ]);
    expect(values(decode(notify("NotifyFullStatus", { ts: 8, "switch:0": { apower: 3 } }), topic))).toEqual([
      { a: 3, b: null },
    ]);
  });

  test("devices do not share what is known, and a time not yet set is the arrival", async () => {
    const decode = await decoderLab(source);
    decode(notify("NotifyStatus", { ts: 5, "switch:0": { temperature: { tC: 40 } } }), "x/events/rpc");
    const other = decode(notify("NotifyStatus", { ts: null, "switch:0": { apower: 2 } }), "y/events/rpc");
    expect(other.readings).toMatchObject([{ entity: "y", timeMs: ARRIVAL_MS, values: { a: 2, b: null } }]);
  });

  test("events and availability are no readings", async () => {
    const decode = await decoderLab(source);
    expect(decode(notify("NotifyEvent", { ts: 5 }), "x/events/rpc").faults).toEqual(["not-telemetry"]);
    expect(decode("true", "x/online").faults).toEqual(["not-telemetry"]);
  });

  test("of ten thousand devices only the last thousand are remembered", async () => {
    const decode = await decoderLab(source);
    for (let i = 0; i < 10_000; i++)
      decode(notify("NotifyStatus", { ts: 5, "switch:0": { temperature: { tC: i } } }), `d${i}/events/rpc`);
    const power = notify("NotifyStatus", { ts: 6, "switch:0": { apower: 2 } });
    expect(values(decode(power, "d1/events/rpc"))).toEqual([{ a: 2, b: null }]);
    expect(values(decode(power, "d9999/events/rpc"))).toEqual([{ a: 2, b: 9999 }]);
  });
});

describe("zigbee2mqtt", () => {
  test.each([
    "zigbee2mqtt/bridge/devices",
    "zigbee2mqtt/up/bath/availability",
    "zigbee2mqtt/lamp/set",
    "zigbee2mqtt/lamp/get",
    "zigbee2mqtt/lamp/set/color",
    "other/lamp",
  ])("%s carries no readings", async (topic) => {
    const decode = await decoderLab('{ decode: zigbee2mqtt, entity: "{tag.name}" }');
    expect(decode('{"a":1}', topic).faults).toEqual(["not-telemetry"]);
  });

  test("the base topic may be another, and last_seen the time", async () => {
    const decode = await decoderLab(
      '{ decode: { zigbee2mqtt: { base: home/z2m } }, entity: "{tag.name}", time: { field: last_seen, unit: iso } }',
    );
    const message = '{"a":1,"b":"ON","last_seen":"2026-01-01T00:00:00+00:00"}';
    expect(decode(message, "home/z2m/up/bath", "retained").readings).toMatchObject([
      { entity: "up/bath", timeMs: Date.UTC(2026, 0, 1), values: { a: 1, b: 1 } },
    ]);
  });
});

test("tasmota: LWT and commands are no readings, and its time knows summer from winter", async () => {
  const decode = await decoderLab("{ decode: { tasmota: { zone: America/New_York } } }", {
    entity: "{topic.1}",
  });
  expect(decode("Online", "tele/plug/LWT").faults).toEqual(["not-telemetry"]);
  expect(decode("ON", "cmnd/plug/POWER").faults).toEqual(["not-telemetry"]);
  const at = (time: string) => decode(`{"Time":"${time}","a":1}`, "tele/plug/SENSOR").readings[0]?.timeMs;
  expect(at("2026-01-01T00:00:00")).toBe(Date.UTC(2026, 0, 1, 5));
  expect(at("2026-07-01T00:00:00")).toBe(Date.UTC(2026, 6, 1, 4));
});

describe("state topics", () => {
  test("a name under two components is told apart by both", async () => {
    const decode = await decoderLab("{ decode: esphome, fields: { a: sensor/pump, b: switch/pump } }", {
      entity: "{tag.prefix}",
    });
    expect(values(decode("7", "lab/x/sensor/pump/state"))).toEqual([{ a: 7, b: null }]);
    expect(decode("OFF", "lab/x/switch/pump/state").readings).toMatchObject([
      { entity: "lab/x", values: { a: null, b: 0 } },
    ]);
    expect(decode("1", "lab/x/sensor/other/state").faults).toEqual(["no-field"]);
  });

  test.each(["unavailable", "unknown", "None", "nan", ""])("%j is a missing value", async (text) => {
    const decode = await decoderLab("{ decode: homeassistant, field: a }", { fields: "a" });
    expect(decode(text, "ha/sensor/x/state")).toMatchObject({
      readings: [{ values: { a: null } }],
      badValues: 0,
    });
  });

  test("modes are text, and other text for a number is a bad value", async () => {
    const decode = await decoderLab("{ decode: homeassistant, text: { a: [off, heat] } }");
    expect(values(decode("heat", "ha/climate/a/state"))).toEqual([{ a: 1, b: null }]);
    expect(decode("heat", "ha/climate/b/state")).toMatchObject({
      readings: [{ values: { b: null } }],
      badValues: 1,
    });
  });

  test.each(["kitchen/status", "kitchen/debug", "ha/sensor/a/unit_of_measurement", "a/b/state"])(
    "%s carries no readings",
    async (topic) => {
      const decode = await decoderLab("{ decode: esphome }");
      expect(decode("online", topic).faults).toEqual(["not-telemetry"]);
    },
  );
});

describe("csv", () => {
  test("without columns the first line of each message names them", async () => {
    const decode = await decoderLab(
      "{ decode: csv, fields: { a: Temp °C }, time: { field: 'when[UTC]', unit: iso } }",
    );
    const text =
      '\u{feff}when[UTC],"Temp °C",b\r\n2026-01-01T00:00:00Z,"21.5",on\r\n2026-01-01T00:01:00Z,x,NaN\r\n\r\n';
    expect(decode(text)).toMatchObject({
      readings: [
        { timeMs: Date.UTC(2026, 0, 1), values: { a: 21.5, b: 1 } },
        { timeMs: Date.UTC(2026, 0, 1, 0, 1), values: { a: null, b: null } },
      ],
      ...{ faults: [], badValues: 1 },
    });
  });

  test("a line with more or fewer values than columns is counted, a broken quote refuses the message", async () => {
    const decode = await decoderLab("{ decode: { csv: { columns: [ts, a, b] } } }");
    const { readings, faults } = decode("1,2,3\n1,2\n1,2,3,4\n2,3,4\n");
    expect([readings.length, faults]).toEqual([2, ["bad-row", "bad-row"]]);
    expect(decode('1,"2,3').faults).toEqual(["not-csv"]);
  });

  test("columns named like what objects inherit are columns", async () => {
    const decode = await decoderLab(
      "{ decode: csv, time: arrival, fields: { a: __proto__, b: constructor } }",
    );
    expect(values(decode("__proto__,constructor\n1,2\n"))).toEqual([{ a: 1, b: 2 }]);
  });
});

describe("plain messages", () => {
  test.each([
    ["ON", 1],
    [" open\n", 1],
    ["0", 0],
    ["offline", 0],
  ])("the boolean %j is %i", async (text, value) => {
    const decode = await decoderLab("{ decode: boolean, field: a }", { fields: "a" });
    expect(values(decode(text))).toEqual([{ a: value }]);
  });

  test("2 is no boolean, and no text is none", async () => {
    const boolean = await decoderLab("{ decode: boolean, field: a }", { fields: "a" });
    expect(boolean("2").faults).toEqual(["not-a-boolean"]);
    const text = await decoderLab("{ decode: text, field: a, text: { a: [x] } }", { fields: "a" });
    expect(text(" ").faults).toEqual(["not-text"]);
    expect(text("y")).toMatchObject({ readings: [{ values: { a: -1 } }], faults: ["unknown-text"] });
  });
});
