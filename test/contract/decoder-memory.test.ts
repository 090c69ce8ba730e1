// However many devices there are, a decoder's memory stays what it is: tried with the examples that the docs show, each
// message from a hundred thousand of them.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { examples } from "../../device/ingest/decoders/examples.js";
import type { ExampleMessage } from "../../device/ingest/decoders/port.js";
import { encodeState } from "../../shared/pipeline/state.js";
import { exampleLab, payloadOf } from "../support/decoder-lab.js";

const DEVICES = 100_000;
/** By then everything that has a bound has reached it. */
const WARM_DEVICES = 20_000;
/** Of 80,000 further devices; one short text of each would be four times as much. */
const GROWTH_BYTES_MAX = 1_500_000;

/** What names the device in the examples' topics and payloads; elsewhere the topic gets a level more. */
const names: Readonly<Record<string, string>> = {
  ...{ json: "room-7", csv: "attic", influx: "us-midwest", senml: "10e2073a0108006", tasmota: "sonoff" },
  ...{ sparkplug: "press-1", shelly: "a8032ab12345", zigbee2mqtt: "bath", esphome: "kitchen" },
  homeassistant: "attic_temperature",
};

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe.each(Object.entries(examples))("%s", (kind, { messages, ...example }) => {
  test(`messages of ${DEVICES} devices leave no more behind than those of ${WARM_DEVICES}`, async () => {
    const tryMessage = await exampleLab({ messages, ...example });
    const { memory } = tryMessage.decode;
    let readings = 0;
    const hear = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        for (const message of messages) {
          const { topic, payload } = ofDevice(message, names[kind], i);
          readings += tryMessage(payload, topic).readings.length;
        }
      }
      return { heap: heapBytes(), saved: encodeState(memory?.save()).length };
    };
    const warm = hear(0, WARM_DEVICES);
    const full = hear(WARM_DEVICES, DEVICES);
    expect(readings).toBeGreaterThanOrEqual(DEVICES);
    expect(full.heap - warm.heap).toBeLessThan(GROWTH_BYTES_MAX);
    // A digit more in each name.
    expect(full.saved).toBeLessThan(1.1 * warm.saved + 1);
  }, 60_000);
});

/** The message, as another device would send it. */
function ofDevice(message: ExampleMessage, name: string | undefined, device: number) {
  if (name === undefined) return { topic: `${message.topic}/${device}`, payload: payloadOf(message) };
  const topic = message.topic.replace(name, `${name}-${device}`);
  const payload = payloadOf(message);
  return {
    topic,
    payload: "text" in message ? message.text.replaceAll(name, `${name}-${device}`) : payload,
  };
}
