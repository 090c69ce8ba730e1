// Which engines there are. All run the same models; sums differ in the last bits, so a report names its engine.

import type { EngineChoice } from "./runtime.js";

/** Every choice, the default first. */
export const engineNames = [
  "auto",
  "fused-wasm",
  "fused-js",
  "tfjs-wasm",
  "tfjs-cpu",
  "tfjs-node",
] as const satisfies readonly EngineChoice[];

/** For each model the fastest engine that covers it, without native code. */
export const defaultEngine: EngineChoice = "auto";
