// assembly/normalization.ts in plain JavaScript, bit for bit.

import { r } from "./math.js";

/** The kernels of normalisation over `f`. */
export function normalizationTwin(
  f: Float32Array,
  columnSums: (x: number, xRow: number, dst: number, rows: number, columns: number) => void,
) {
  return {
    columnMoments(
      x: number,
      mean: number,
      variance: number,
      scratch: number,
      rows: number,
      columns: number,
    ): void {
      columnSums(x, columns * 4, mean, rows, columns);
      for (let j = 0; j < columns; j++) f[mean / 4 + j] = f[mean / 4 + j]! / rows;
      for (let i = 0; i < rows * columns; i++) {
        const far = r(f[x / 4 + i]! - f[mean / 4 + (i % columns)]!);
        f[scratch / 4 + i] = far * far;
      }
      columnSums(scratch, columns * 4, variance, rows, columns);
      for (let j = 0; j < columns; j++) f[variance / 4 + j] = f[variance / 4 + j]! / rows;
    },
    moveAverage(moving: number, value: number, count: number, rate: number): void {
      for (let i = 0; i < count; i++) {
        const old = f[moving / 4 + i]!;
        f[moving / 4 + i] = old - r(r(old - f[value / 4 + i]!) * r(rate));
      }
    },
    normalizeColumns(
      x: number,
      mean: number,
      variance: number,
      gamma: number,
      beta: number,
      deviation: number,
      hat: number,
      y: number,
      rows: number,
      columns: number,
      epsilon: number,
    ): void {
      for (let j = 0; j < columns; j++)
        f[deviation / 4 + j] = Math.sqrt(r(f[variance / 4 + j]! + r(epsilon)));
      for (let i = 0; i < rows * columns; i++) {
        const j = i % columns;
        const value = r(r(f[x / 4 + i]! - f[mean / 4 + j]!) / f[deviation / 4 + j]!);
        f[hat / 4 + i] = value;
        f[y / 4 + i] = f[beta / 4 + j]! + r(value * f[gamma / 4 + j]!);
      }
    },
    multiply(a: number, b: number, x: number, count: number): void {
      for (let i = 0; i < count; i++) f[x / 4 + i] = f[a / 4 + i]! * f[b / 4 + i]!;
    },
    normalizeColumnsBack(
      hat: number,
      dy: number,
      gamma: number,
      deviation: number,
      dGamma: number,
      dBeta: number,
      dx: number,
      rows: number,
      columns: number,
    ): void {
      for (let i = 0; i < rows * columns; i++) {
        const j = i % columns;
        const mean = r(f[dBeta / 4 + j]! / rows);
        const tilt = r(f[hat / 4 + i]! * r(f[dGamma / 4 + j]! / rows));
        const inner = r(r(f[dy / 4 + i]! - mean) - tilt);
        f[dx / 4 + i] = inner * r(f[gamma / 4 + j]! / f[deviation / 4 + j]!);
      }
    },
    normalizeRows(
      x: number,
      gamma: number,
      beta: number,
      deviation: number,
      hat: number,
      y: number,
      rows: number,
      columns: number,
      epsilon: number,
    ): void {
      for (let row = 0; row < rows; row++) {
        const at = row * columns;
        let sum = 0;
        for (let j = at; j < at + columns; j++) sum += f[x / 4 + j]!;
        const mean = r(sum / columns);
        let squares = 0;
        for (let j = at; j < at + columns; j++) squares += r(f[x / 4 + j]! - mean) ** 2;
        const root = r(Math.sqrt(r(r(squares / columns) + r(epsilon))));
        f[deviation / 4 + row] = root;
        for (let j = 0; j < columns; j++) {
          const value = r(r(f[x / 4 + at + j]! - mean) / root);
          f[hat / 4 + at + j] = value;
          f[y / 4 + at + j] = f[beta / 4 + j]! + r(value * f[gamma / 4 + j]!);
        }
      }
    },
    normalizeRowsBack(
      hat: number,
      dy: number,
      gamma: number,
      deviation: number,
      dx: number,
      rows: number,
      columns: number,
    ): void {
      for (let row = 0; row < rows; row++) {
        const at = row * columns;
        let sum = 0;
        let tilt = 0;
        for (let j = 0; j < columns; j++) {
          const slope = r(f[dy / 4 + at + j]! * f[gamma / 4 + j]!);
          sum += slope;
          tilt += slope * f[hat / 4 + at + j]!;
        }
        const mean = r(sum / columns);
        const lean = r(tilt / columns);
        const root = f[deviation / 4 + row]!;
        for (let j = 0; j < columns; j++) {
          const slope = r(f[dy / 4 + at + j]! * f[gamma / 4 + j]!);
          f[dx / 4 + at + j] = r(r(slope - mean) - r(f[hat / 4 + at + j]! * lean)) / root;
        }
      }
    },
    fill(dst: number, count: number, value: number): void {
      f.fill(value, dst / 4, dst / 4 + count);
    },
  };
}
