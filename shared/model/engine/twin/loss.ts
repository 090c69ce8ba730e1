// assembly/loss.ts in plain JavaScript, bit for bit.

import { log, r } from "./math.js";

const EPSILON = r(1e-7);
const TOP = r(1 - EPSILON);

/** The kernels of losses over `f`. */
export function lossTwin(f: Float32Array) {
  return {
    elementLoss(kind: number, p: number, y: number, dp: number, count: number): number {
      const share = r(1 / count);
      if (kind === 0) return squared(f, p / 4, y / 4, dp / 4, count, r(2 * share));
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const predicted = f[p / 4 + i]!;
        const truth = f[y / 4 + i]!;
        const error = r(predicted - truth);
        const size = Math.abs(error);
        let slope: number;
        if (kind === 1) {
          sum += size;
          slope = error > 0 ? 1 : error < 0 ? -1 : error;
        } else if (kind === 2) {
          sum += size > 1 ? size - 0.5 : r(error * error) * 0.5;
          slope = size > 1 ? (error > 0 ? 1 : -1) : error;
        } else {
          sum += binary(predicted, truth);
          slope = binarySlope(predicted, truth);
        }
        if (dp !== 0) f[dp / 4 + i] = slope * share;
      }
      return sum / count;
    },
    categoricalLoss(p: number, y: number, dp: number, rows: number, columns: number): number {
      let total = 0;
      for (let row = 0; row < rows; row++) {
        const at = row * columns;
        let sum = 0;
        for (let j = at; j < at + columns; j++) sum = r(sum + f[p / 4 + j]!);
        let weighted = 0;
        let logs = 0;
        for (let j = at; j < at + columns; j++) {
          const truth = f[y / 4 + j]!;
          if (dp !== 0) f[dp / 4 + j] = 0;
          if (truth === 0) continue;
          const share = r(f[p / 4 + j]! / sum);
          const clipped = Math.min(Math.max(share, EPSILON), TOP);
          logs += truth * log(clipped);
          if (dp === 0) continue;
          const slope = share < EPSILON || share > TOP ? 0 : r(-r(truth / clipped) / rows);
          f[dp / 4 + j] = slope;
          weighted = r(weighted + r(slope * share));
        }
        total -= logs;
        if (dp === 0) continue;
        for (let j = at; j < at + columns; j++) f[dp / 4 + j] = r(f[dp / 4 + j]! - weighted) / sum;
      }
      return total / rows;
    },
    oneHot(classes: number, dst: number, rows: number, columns: number): void {
      f.fill(0, dst / 4, dst / 4 + rows * columns);
      for (let row = 0; row < rows; row++) {
        const index = f[classes / 4 + row]!;
        if (index >= 0 && index < columns) f[dst / 4 + row * columns + Math.floor(index)] = 1;
      }
    },
  };
}

// Two sums, of even and of odd outputs, as the vector kernel has them.
function squared(f: Float32Array, p: number, y: number, dp: number, count: number, factor: number): number {
  const whole = count - (count % 4);
  const sums = [0, 0];
  let tail = 0;
  for (let i = 0; i < count; i++) {
    const error = r(f[p + i]! - f[y + i]!);
    const square = r(error * error);
    if (i < whole) sums[i % 2]! += square;
    if (dp !== 0) f[dp + i] = error * factor;
  }
  tail = sums[0]! + sums[1]!;
  for (let i = whole; i < count; i++) {
    const error = r(f[p + i]! - f[y + i]!);
    tail += r(error * error);
  }
  return tail / count;
}

function binary(p: number, y: number): number {
  const q = Math.min(Math.max(p, EPSILON), TOP);
  return -(y * log(q) + (1 - y) * log(r(1 - q)));
}

function binarySlope(p: number, y: number): number {
  if (p < EPSILON || p > TOP) return 0;
  return r(r(p - y) / r(p * r(1 - p)));
}
