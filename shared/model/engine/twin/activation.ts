// assembly/activation.ts in plain JavaScript, bit for bit.

import { exp, larger, log1p, r, sigmoid, tanh, within } from "./math.js";

const SELU_SCALE = r(1.0507009873554805);
const SELU_SLOPE = r(SELU_SCALE * r(1.6732632423543772));
const FIFTH = r(0.2);
const NEGLIGIBLE = -60;

/** activation(x). */
export function apply(kind: number, x: number, alpha: number): number {
  switch (kind) {
    case 1:
      return larger(x, 0);
    case 2:
      return sigmoid(x);
    case 3:
      return tanh(x);
    case 4:
      return x >= 0 ? x : r(alpha * r(exp(x) - 1));
    case 5:
      return x >= 0 ? r(SELU_SCALE * x) : r(SELU_SLOPE * r(exp(x) - 1));
    case 6:
      return within(x, 0, 6);
    case 7:
      return within(r(r(x * FIFTH) + 0.5), 0, 1);
    case 8:
      return r(larger(x, 0) + log1p(exp(-Math.abs(x))));
    case 9:
      return r(x / r(Math.abs(x) + 1));
    case 10:
      return x >= 0 ? x : r(alpha * x);
    default:
      return x;
  }
}

/** dy x activation'(x), from y = activation(x). */
export function back(kind: number, y: number, dy: number, alpha: number): number {
  switch (kind) {
    case 1:
      return y > 0 ? dy : 0;
    case 2:
      return r(dy * r(y * r(1 - y)));
    case 3:
      return r(dy * r(1 - r(y * y)));
    case 4:
      return y >= 0 ? dy : r(dy * r(y + alpha));
    case 5:
      return y > 0 ? r(dy * SELU_SCALE) : r(dy * r(y + SELU_SLOPE));
    case 6:
      return y > 0 && y < 6 ? dy : 0;
    case 7:
      return y > 0 && y < 1 ? r(dy * FIFTH) : 0;
    case 8:
      return r(dy * r(1 - exp(-y)));
    case 9: {
      const s = r(1 - Math.abs(y));
      return r(dy * r(s * s));
    }
    case 10:
      return y >= 0 ? dy : r(alpha * dy);
    default:
      return dy;
  }
}

/** The kernels of activations over `f`. */
export function activationTwin(f: Float32Array) {
  return {
    activate(kind: number, src: number, dst: number, count: number, alpha: number): void {
      const a = r(alpha);
      for (let i = 0; i < count; i++) f[dst / 4 + i] = apply(kind, f[src / 4 + i]!, a);
    },
    activateBack(kind: number, y: number, dy: number, dx: number, count: number, alpha: number): void {
      const a = r(alpha);
      for (let i = 0; i < count; i++) f[dx / 4 + i] = back(kind, f[y / 4 + i]!, f[dy / 4 + i]!, a);
    },
    prelu(x: number, alpha: number, y: number, count: number, size: number): void {
      for (let i = 0; i < count; i++) {
        const value = f[x / 4 + i]!;
        f[y / 4 + i] = value >= 0 ? value : f[alpha / 4 + (i % size)]! * value;
      }
    },
    preluBack(
      x: number,
      alpha: number,
      dy: number,
      dx: number,
      dAlpha: number,
      count: number,
      size: number,
    ): void {
      f.fill(0, dAlpha / 4, dAlpha / 4 + size);
      for (let i = 0; i < count; i++) {
        const value = f[x / 4 + i]!;
        const slope = f[dy / 4 + i]!;
        const column = i % size;
        f[dx / 4 + i] = value >= 0 ? slope : f[alpha / 4 + column]! * slope;
        if (!(value >= 0)) f[dAlpha / 4 + column]! += r(value * slope);
      }
    },
    softmax(src: number, dst: number, rows: number, columns: number): void {
      for (let row = 0; row < rows; row++) {
        const from = src / 4 + row * columns;
        const to = dst / 4 + row * columns;
        let top = f[from]!;
        for (let j = 1; j < columns; j++) top = larger(top, f[from + j]!);
        let sum = 0;
        for (let j = 0; j < columns; j++) {
          const below = r(f[from + j]! - top);
          f[to + j] = below < NEGLIGIBLE ? 0 : exp(below);
          sum = r(sum + f[to + j]!);
        }
        for (let j = 0; j < columns; j++) f[to + j] = f[to + j]! / sum;
      }
    },
    softmaxBack(y: number, dy: number, dx: number, rows: number, columns: number): void {
      for (let row = 0; row < rows; row++) {
        const at = row * columns;
        let sum = 0;
        for (let j = at; j < at + columns; j++) sum = r(sum + r(f[y / 4 + j]! * f[dy / 4 + j]!));
        for (let j = at; j < at + columns; j++) f[dx / 4 + j] = r(f[dy / 4 + j]! - sum) * f[y / 4 + j]!;
      }
    },
  };
}
