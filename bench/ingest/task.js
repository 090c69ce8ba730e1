// What both halves of the ingest bench agree on: a task with a model of 8 MB, and its devices' keys.

import { createHash } from "node:crypto";
import { keysFromSeed } from "../../dist/shared/wire/signature.js";

const HIDDEN = 1_412;

/** Floats of the model below: two inputs, two hidden layers, one output. */
export const paramCount = 2 * HIDDEN + HIDDEN + HIDDEN * HIDDEN + HIDDEN + HIDDEN + 1;

export const SERVER_SEED = new Uint8Array(32).fill(9);

/** Two rounds, each of which ends when all devices' updates are in. */
export function benchTask(devices) {
  return `task: bench
sources: { air: {} }
features: { from: air, list: [{ copy: [a, b] }], scale: none }
label: { field: a }
model: { dense: [${HIDDEN}, ${HIDDEN}] }
rounds: { cohort: ${devices}, quorum: 100%, deadline: 1h, max: 2 }
evaluate: { every: 2 }
`;
}

export function deviceKeys(device) {
  return keysFromSeed(createHash("sha256").update(device).digest());
}
