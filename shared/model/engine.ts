// Which engines there are. All run the same models; sums differ in the last bits, so a report names its engine.

import type { EngineName } from "./runtime.js";

/** Every engine, the default first. */
export const engineNames = ["tfjs-wasm", "tfjs-cpu", "tfjs-node"] as const satisfies readonly EngineName[];

/** Runs everywhere Node runs, without native code. */
export const defaultEngine: EngineName = "tfjs-wasm";
