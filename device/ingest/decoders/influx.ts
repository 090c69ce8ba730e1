// Influx line protocol, as Telegraf and many gateways publish it.

import { assert } from "../../../shared/assert.js";
import { type Point, parseLines } from "./influx-line.js";
import { type Decode, type DecodeFault, type DecoderOptions, READINGS_MAX } from "./port.js";
import { type Item, Shaper } from "./shape.js";
import { utf8 } from "./text.js";
import { epochMs } from "./time.js";

/** A decoder for `decode: influx`: a reading per line, {tag.measurement} beside the line's own tags. */
export function createInfluxDecoder(options: DecoderOptions): Decode {
  const { decode } = options.source;
  assert(decode.kind === "influx", "the registry gives each decoder its own kind of source");
  const { measurement, precision } = decode;
  const shaper = new Shaper(options, { places: "names" });
  return (message) => {
    const points = parseLines(utf8(message.payload), READINGS_MAX);
    const faults: DecodeFault[] = [];
    const items: Item[] = [];
    for (const point of points) {
      if (point === undefined) faults.push("not-influx");
      else if (measurement !== undefined && point.measurement !== measurement) faults.push("not-telemetry");
      else items.push(itemOf(point, precision));
    }
    return shaper.shape(message, items, faults);
  };
}

function itemOf({ measurement, tags, fields, timestamp }: Point, precision: "s" | "ms" | "us" | "ns"): Item {
  const timeMs = timestamp === undefined ? undefined : (epochMs(Number(timestamp), precision) ?? Number.NaN);
  return {
    body: fields,
    timeMs,
    tags: tags.has("measurement") ? tags : new Map([...tags, ["measurement", measurement]]),
  };
}
