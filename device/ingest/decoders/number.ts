// One number as text: "21.5", as ESPHome and many others publish.

import type { Decode, DecodeFault, DecoderOptions } from "./port.js";

/** Enough for any double, and no more to look at. */
const TEXT_MAX = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A decoder for `decode: number`: event time is when the message came. */
export function createNumberDecoder({ name, source, entityOf }: DecoderOptions): Decode {
  const field = source.decode.kind === "number" ? source.decode.field : "";
  return ({ topic, payload, arrivalMs }) => {
    const entity = entityOf(topic);
    if (entity === undefined) return fault("topic-too-short");
    const value = parse(payload);
    if (value === undefined) return fault("not-a-number");
    const reading = { source: name, entity, timeMs: arrivalMs, values: { [field]: value } };
    return { readings: [reading], faults: [], badValues: 0 };
  };
}

function parse(payload: Uint8Array): number | undefined {
  if (payload.length > TEXT_MAX) return undefined;
  const text = Buffer.from(payload).toString("latin1").trim();
  const value = Number(text);
  return NUMBER.test(text) && Number.isFinite(value) ? value : undefined;
}

function fault(reason: DecodeFault) {
  return { readings: [], faults: [reason], badValues: 0 };
}
