// The whole message is one value as text: a number ("21.5"), a truth ("ON") or a word, at the time it came.

import { type Decode, type DecodeFault, type DecoderOptions, fault } from "./port.js";
import { Shaper } from "./shape.js";
import { parseBoolean, parseNumber, TEXT_MAX, utf8 } from "./text.js";

/** A decoder for `decode: number`. */
export function createNumberDecoder(options: DecoderOptions): Decode {
  return createPlainDecoder(options, "not-a-number", parseNumber);
}

/** A decoder for `decode: boolean`: ON and OFF, true and false, open and closed, online and offline, 1 and 0. */
export function createBooleanDecoder(options: DecoderOptions): Decode {
  return createPlainDecoder(options, "not-a-boolean", (text) => parseBoolean(text) ?? parseBit(text));
}

/** A decoder for `decode: text`: the source's `text` says what number a text becomes. */
export function createTextDecoder(options: DecoderOptions): Decode {
  return createPlainDecoder(options, "not-text", (text) => text.trim() || undefined);
}

type Parse = (text: string) => number | string | undefined;

function createPlainDecoder(options: DecoderOptions, reason: DecodeFault, parse: Parse): Decode {
  const shaper = new Shaper(options, { places: "names" });
  const field = "field" in options.source.decode ? (options.source.decode.field ?? "") : "";
  return (message) => {
    if (message.payload.length > TEXT_MAX) return fault(reason);
    const value = parse(utf8(message.payload));
    return value === undefined ? fault(reason) : shaper.shape(message, [{ body: { [field]: value } }]);
  };
}

function parseBit(text: string): number | undefined {
  const value = parseNumber(text);
  return value === 0 || value === 1 ? value : undefined;
}
