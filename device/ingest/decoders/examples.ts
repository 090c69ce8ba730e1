// How an author writes a source of each kind, and what comes of messages. The docs print these and a test runs them;
// a device never loads them.

import type { DecodeSpec } from "../../../shared/task/decode-spec.js";
import type { DecoderExample } from "./port.js";

/** An example of each decoder. */
export const examples: Readonly<Record<DecodeSpec["kind"], DecoderExample>> = {
  json: {
    source: `mqtt: lab/+/air
decode: json
entity: "{topic.1}"
fields: { temp: "sensors.t", hum: "sensors.h[0]" }
text: { mode: [off, heat, cool] }
id: answers`,
    fields: ["temp", "hum", "mode"],
    messages: [
      {
        topic: "lab/room-7/air",
        text: '{"ts":1767225600,"sensors":{"t":21.5,"h":[40,41]},"mode":"heat","answers":"p-1"}',
      },
    ],
    readings: [
      { entity: "room-7", time: "2026-01-01T00:00:00Z", values: { temp: 21.5, hum: 40, mode: 1 }, id: "p-1" },
    ],
  },
  msgpack: {
    source: `mqtt: lab/air
decode: msgpack
time: { field: t, unit: ms }`,
    fields: ["temp"],
    // {"t": 1767225600000, "temp": 21.5}
    messages: [{ topic: "lab/air", hex: "82 a174 cf0000019b76daa800 a474656d70 cb4035800000000000" }],
    readings: [{ entity: "pi-1", time: "2026-01-01T00:00:00Z", values: { temp: 21.5 } }],
  },
  cbor: {
    source: `mqtt: lab/axis
decode: cbor
time: arrival
vectors: { x: 4 }`,
    fields: ["temp", "x"],
    // {"temp": 21.5, "x": a typed array of 16-bit little-endian integers: 1, -2, 3, -4}
    messages: [{ topic: "lab/axis", hex: "a2 6474656d70 f94d60 6178 d84d 48 0100feff0300fcff" }],
    readings: [{ entity: "pi-1", values: { temp: 21.5, x: [1, -2, 3, -4] } }],
  },
  number: {
    source: `mqtt: lab/temp
decode: number
field: temp
convert: { temp: F to C }`,
    fields: ["temp"],
    messages: [{ topic: "lab/temp", text: "212" }],
    readings: [{ entity: "pi-1", values: { temp: 100 } }],
  },
  boolean: {
    source: `mqtt: lab/door
decode: boolean
field: door`,
    fields: ["door"],
    messages: [{ topic: "lab/door", text: "open" }],
    readings: [{ entity: "pi-1", values: { door: 1 } }],
  },
  text: {
    source: `mqtt: lab/mode
decode: text
field: mode
text: { mode: [off, heat, cool] }`,
    fields: ["mode"],
    messages: [{ topic: "lab/mode", text: "cool" }],
    readings: [{ entity: "pi-1", values: { mode: 2 } }],
  },
  csv: {
    source: `mqtt: lab/log
decode: { csv: { columns: [ts, room, temp, hum], delimiter: ";" } }
entity: "{tag.room}"`,
    fields: ["temp", "hum"],
    messages: [{ topic: "lab/log", text: "1767225600;attic;21.5;40\n1767225600;cellar;12;NA\n" }],
    readings: [
      { entity: "attic", time: "2026-01-01T00:00:00Z", values: { temp: 21.5, hum: 40 } },
      { entity: "cellar", time: "2026-01-01T00:00:00Z", values: { temp: 12, hum: null } },
    ],
  },
  senml: {
    source: `mqtt: lab/senml
decode: senml
entity: "{tag.base}"`,
    fields: ["voltage", "current"],
    // RFC 8428, section 5.1.2, shortened.
    messages: [
      {
        topic: "lab/senml",
        text: `[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,
"n":"voltage","u":"V","v":120.1},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]`,
      },
    ],
    readings: [
      {
        entity: "urn:dev:ow:10e2073a0108006",
        time: "2010-06-08T18:01:16.001Z",
        values: { voltage: 120.1, current: 1.7 },
      },
      {
        entity: "urn:dev:ow:10e2073a0108006",
        time: "2010-06-08T18:01:15.001Z",
        values: { voltage: null, current: 1.6 },
      },
    ],
  },
  "senml-cbor": {
    source: `mqtt: lab/senml
decode: senml-cbor`,
    fields: ["voltage", "current"],
    // RFC 8428, section 6: the same in CBOR, its first and last record.
    messages: [
      {
        topic: "lab/senml",
        hex: `82 a7 21 781b 75726e3a6465763a6f773a3130653230373361303130383030363a 22 fb41d303a15b001062
23 6141 20 05 00 67766f6c74616765 01 6156 02 fb405e066666666666
a3 00 6763757272656e74 06 00 02 fb3ffb333333333333`,
      },
    ],
    readings: [
      { entity: "pi-1", time: "2010-06-08T18:01:16.001Z", values: { voltage: 120.1, current: 1.7 } },
    ],
  },
  influx: {
    source: `mqtt: telegraf/#
decode: { influx: { measurement: weather } }
entity: "{tag.location}"
fields: { temp: temperature }`,
    fields: ["temp", "hum"],
    messages: [
      {
        topic: "telegraf/gw-1/weather",
        text: "weather,location=us-midwest temperature=82,hum=40i 1465839830100400200\n",
      },
    ],
    readings: [{ entity: "us-midwest", time: "2016-06-13T17:43:50.100Z", values: { temp: 82, hum: 40 } }],
  },
  sparkplug: {
    source: `mqtt: spBv1.0/plant/+/press-1/#
decode: sparkplug
entity: "{tag.node}"
fields: { temp: Inputs/Temperature, cycles: Inputs/Cycles }`,
    fields: ["temp", "cycles"],
    messages: [
      {
        topic: "spBv1.0/plant/NBIRTH/press-1",
        // bdSeq 0; Inputs/Temperature, alias 1, a float of 21.5; Inputs/Cycles, alias 2, an Int32 of 7.
        hex: `0880d0eab6b733 120b 0a05 6264536571 2004 5800
121d 0a12 496e707574732f54656d7065726174757265 1001 2009 65 0000ac41
1215 0a0d 496e707574732f4379636c6573 1002 2003 5007 1800`,
      },
      // Alias 2, an Int32 of 8; the temperature has not changed.
      { topic: "spBv1.0/plant/NDATA/press-1", hex: "08e8d7eab6b733 1206 1002 2003 5008 1801" },
    ],
    readings: [
      { entity: "press-1", time: "2026-01-01T00:00:00Z", values: { temp: 21.5, cycles: 7 } },
      { entity: "press-1", time: "2026-01-01T00:00:01Z", values: { temp: 21.5, cycles: 8 } },
    ],
  },
  shelly: {
    source: `mqtt: "+/events/rpc"
decode: shelly
entity: "{tag.device}"
fields: { power: "switch:0.apower", on: "switch:0.output" }`,
    fields: ["power", "on"],
    messages: [
      {
        topic: "shellyplus1pm-a8032ab12345/events/rpc",
        text: `{"src":"shellyplus1pm-a8032ab12345","dst":"shellyplus1pm-a8032ab12345/events","method":"NotifyFullStatus",
"params":{"ts":1767225600.5,"switch:0":{"id":0,"output":true,"apower":8.9,"temperature":{"tC":41.2}}}}`,
      },
      {
        topic: "shellyplus1pm-a8032ab12345/events/rpc",
        text: `{"src":"shellyplus1pm-a8032ab12345","dst":"shellyplus1pm-a8032ab12345/events","method":"NotifyStatus",
"params":{"ts":1767225610.5,"switch:0":{"id":0,"apower":12.4}}}`,
      },
    ],
    readings: [
      {
        entity: "shellyplus1pm-a8032ab12345",
        time: "2026-01-01T00:00:00.500Z",
        values: { power: 8.9, on: 1 },
      },
      {
        entity: "shellyplus1pm-a8032ab12345",
        time: "2026-01-01T00:00:10.500Z",
        values: { power: 12.4, on: 1 },
      },
    ],
  },
  samples: {
    source: `mqtt: lab/vibration
decode:
  samples: { type: i16, channels: [x, y], length: 4, rate: 1kHz, scale: 0.5, header: { bytes: 8, time: { at: 0, unit: us } } }`,
    fields: ["x", "y"],
    messages: [
      {
        topic: "lab/vibration",
        hex: "0040204648470600 0200 feff 0400 fcff 0600 faff 0800 f8ff",
      },
    ],
    readings: [
      { entity: "pi-1", time: "2026-01-01T00:00:00Z", values: { x: [1, 2, 3, 4], y: [-1, -2, -3, -4] } },
    ],
  },
  zigbee2mqtt: {
    source: `mqtt: zigbee2mqtt/#
decode: zigbee2mqtt
entity: "{tag.name}"`,
    fields: ["temperature", "contact"],
    messages: [
      { topic: "zigbee2mqtt/upstairs/bath", text: '{"temperature":27.34,"humidity":44.72,"contact":true}' },
    ],
    readings: [{ entity: "upstairs/bath", values: { temperature: 27.34, contact: 1 } }],
  },
  tasmota: {
    source: `mqtt: tele/+/SENSOR
decode: { tasmota: { zone: Europe/Berlin } }
entity: "{topic.1}"
fields: { temp: DS18B20.Temperature, current: "ENERGY.Current[1]" }`,
    fields: ["temp", "current"],
    messages: [
      {
        topic: "tele/sonoff/SENSOR",
        text: '{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.6},"ENERGY":{"Current":[1.32,2.1]}}',
      },
    ],
    readings: [{ entity: "sonoff", time: "2017-02-16T09:13:52Z", values: { temp: 20.6, current: 2.1 } }],
  },
  esphome: {
    source: `mqtt: kitchen/+/+/state
decode: esphome
fields: { temp: temperature }`,
    fields: ["temp", "fan"],
    messages: [
      { topic: "kitchen/sensor/temperature/state", text: "21.5" },
      { topic: "kitchen/switch/fan/state", text: "ON" },
    ],
    readings: [
      { entity: "pi-1", values: { temp: 21.5, fan: null } },
      { entity: "pi-1", values: { temp: null, fan: 1 } },
    ],
  },
  homeassistant: {
    source: `mqtt: homeassistant/sensor/+/state
decode: homeassistant
field: temp
entity: "{tag.name}"`,
    fields: ["temp"],
    messages: [
      { topic: "homeassistant/sensor/attic_temperature/state", text: "21.5" },
      { topic: "homeassistant/sensor/cellar_temperature/state", text: "unavailable" },
    ],
    readings: [
      { entity: "attic_temperature", values: { temp: 21.5 } },
      { entity: "cellar_temperature", values: { temp: null } },
    ],
  },
};
