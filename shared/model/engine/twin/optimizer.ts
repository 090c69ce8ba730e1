// assembly/optimizer.ts in plain JavaScript, bit for bit.

import { r, within } from "./math.js";

/** The kernels of optimizers over `f`. */
export function optimizerTwin(f: Float32Array) {
  return {
    sgd(p: number, g: number, count: number, rate: number): void {
      for (let i = 0; i < count; i++) f[p / 4 + i] = r(r(rate) * f[g / 4 + i]!) + f[p / 4 + i]!;
    },
    momentum(
      p: number,
      g: number,
      m: number,
      count: number,
      rate: number,
      decay: number,
      nesterov: number,
    ): void {
      for (let i = 0; i < count; i++) {
        const slope = f[g / 4 + i]!;
        const speed = r(r(r(decay) * f[m / 4 + i]!) + slope);
        f[m / 4 + i] = speed;
        const move = nesterov === 0 ? speed : r(slope + r(speed * r(decay)));
        f[p / 4 + i] = r(r(rate) * move) + f[p / 4 + i]!;
      }
    },
    adam(
      p: number,
      g: number,
      m: number,
      v: number,
      count: number,
      rate: number,
      beta1: number,
      keep1: number,
      beta2: number,
      keep2: number,
      scale1: number,
      scale2: number,
      epsilon: number,
    ): void {
      for (let i = 0; i < count; i++) {
        const slope = f[g / 4 + i]!;
        const first = r(r(f[m / 4 + i]! * r(beta1)) + r(slope * r(keep1)));
        const second = r(r(f[v / 4 + i]! * r(beta2)) + r(r(slope * slope) * r(keep2)));
        f[m / 4 + i] = first;
        f[v / 4 + i] = second;
        const size = r(r(Math.sqrt(r(second * r(scale2)))) + r(epsilon));
        f[p / 4 + i] = r(r(r(first * r(scale1)) / size) * r(rate)) + f[p / 4 + i]!;
      }
    },
    rmsprop(
      p: number,
      g: number,
      v: number,
      count: number,
      rate: number,
      decay: number,
      keep: number,
      epsilon: number,
    ): void {
      for (let i = 0; i < count; i++) {
        const slope = f[g / 4 + i]!;
        const second = r(r(f[v / 4 + i]! * r(decay)) + r(r(slope * slope) * r(keep)));
        f[v / 4 + i] = second;
        const size = r(Math.sqrt(r(second + r(epsilon))));
        f[p / 4 + i] = f[p / 4 + i]! - r(r(slope * r(rate)) / size);
      }
    },
    adagrad(p: number, g: number, v: number, count: number, rate: number, epsilon: number): void {
      for (let i = 0; i < count; i++) {
        const slope = f[g / 4 + i]!;
        const sum = r(f[v / 4 + i]! + r(slope * slope));
        f[v / 4 + i] = sum;
        const size = r(Math.sqrt(r(sum + r(epsilon))));
        f[p / 4 + i] = r(r(slope / size) * r(rate)) + f[p / 4 + i]!;
      }
    },
    regularize(p: number, g: number, count: number, l1: number, l2: number): number {
      const [a, b] = [r(l1), r(l2)];
      let absolutes = 0;
      let squares = 0;
      for (let i = 0; i < count; i++) {
        const value = f[p / 4 + i]!;
        absolutes += Math.abs(value);
        squares += value * value;
        const sign = value > 0 ? 1 : value < 0 ? -1 : 0;
        if (g !== 0) f[g / 4 + i]! += r(r(a * sign) + r(r(2 * b) * value));
      }
      return a * absolutes + b * squares;
    },
    addProximal(p: number, anchor: number, g: number, count: number, mu: number): void {
      for (let i = 0; i < count; i++) {
        const far = r(f[p / 4 + i]! - f[anchor / 4 + i]!);
        f[g / 4 + i]! += r(r(mu) * far);
      }
    },
    squaredNorm(x: number, count: number): number {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += f[x / 4 + i]! * f[x / 4 + i]!;
      return sum;
    },
    clamp(x: number, count: number, limit: number): void {
      const top = r(limit);
      for (let i = 0; i < count; i++) f[x / 4 + i] = within(f[x / 4 + i]!, -top, top);
    },
  };
}
