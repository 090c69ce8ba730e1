// A concept detector in a task: its name, or its name with parameters.

import { z } from "zod";
import { DEFAULT_DETECTOR, type DetectorCall, detectors } from "../../drift/concept/registry.js";
import { alternatives } from "../problem.js";
import { oneKey } from "./choice.js";

const names = Object.keys(detectors);
const shape = Object.fromEntries(
  Object.entries(detectors).map(([name, { params, doc }]) => [name, params.describe(doc)]),
);

/** `adwin`, or `{ adwin: { delta: 0.001 } }`. */
export const detector = z
  .union(
    [
      z.enum(names).transform((kind): DetectorCall => ({ kind, params: detectors[kind]?.params.parse({}) })),
      oneKey(shape).transform(({ kind, value }): DetectorCall => ({ kind, params: value })),
    ],
    { error: `expected ${alternatives(names)}, or one of them with its parameters` },
  )
  .prefault(DEFAULT_DETECTOR);
