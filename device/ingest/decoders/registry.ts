// All decoders by name.

import type { DecodeSpec } from "../../../shared/task/task.js";
import { createJsonDecoder } from "./json.js";
import { createNumberDecoder } from "./number.js";
import type { Decode, DecoderOptions } from "./port.js";

/** How a decoder of each kind is made. */
export const decoders: Readonly<Record<DecodeSpec["kind"], (options: DecoderOptions) => Decode>> = {
  json: createJsonDecoder,
  number: createNumberDecoder,
};
