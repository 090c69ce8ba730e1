// Bounds on a gradient. Pascanu et al. 2013, algorithm 1.

import type { ClipSpec } from "../task/task.js";

/** Bounds `gradient` in place. */
export function clip(gradient: Float32Array, { kind, max }: ClipSpec): void {
  if (kind === "value") {
    gradient.forEach((value, at) => {
      gradient[at] = Math.min(Math.max(value, -max), max);
    });
    return;
  }
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  if (norm <= max) return;
  gradient.forEach((value, at) => {
    gradient[at] = value * (max / norm);
  });
}
