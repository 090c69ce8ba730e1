// The seed that a round's devices are given.

import { sha256Hex } from "../../shared/task/canonical.js";

/** Root of the devices' random streams in a round; says nothing about the server's own root. */
export function roundSeed(root: string, round: number): string {
  return sha256Hex(`${root}|round|${round}`);
}
