// Normalisation by the statistics of columns (batch) or of rows (layer).

import { columnSums } from "./vector";
import { mulAdd, storePart } from "./lane";

/** Mean and population variance of each column, in two passes. Ioffe and Szegedy 2015, algorithm 1. */
export function columnMoments(x: usize, mean: usize, variance: usize, scratch: usize, rows: usize, columns: usize): void {
  const row = columns << 2;
  const n = f32x4.splat(<f32>rows);
  columnSums(x, row, mean, rows, columns);
  for (let j: usize = 0; j < columns; j += 4)
    storePart(mean + (j << 2), f32x4.div(v128.load(mean + (j << 2)), n), columns - j);
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j += 4) {
      const far = f32x4.sub(v128.load(x + i * row + (j << 2)), v128.load(mean + (j << 2)));
      storePart(scratch + i * row + (j << 2), f32x4.mul(far, far), columns - j);
    }
  columnSums(scratch, row, variance, rows, columns);
  for (let j: usize = 0; j < columns; j += 4)
    storePart(variance + (j << 2), f32x4.div(v128.load(variance + (j << 2)), n), columns - j);
}

/** moving = moving - (moving - value) x rate: the running mean of a statistic, as tfjs keeps it. */
export function moveAverage(moving: usize, value: usize, count: usize, rate: f32): void {
  for (let i: usize = 0; i < count << 2; i += 4) {
    const old = load<f32>(moving + i);
    store<f32>(moving + i, old - (old - load<f32>(value + i)) * rate);
  }
}

/** hat = (x - mean) / sqrt(variance + epsilon), y = hat gamma + beta, column by column; `deviation` gets the roots. */
export function normalizeColumns(
  x: usize, mean: usize, variance: usize, gamma: usize, beta: usize,
  deviation: usize, hat: usize, y: usize, rows: usize, columns: usize, epsilon: f32,
): void {
  const row = columns << 2;
  for (let j: usize = 0; j < columns; j += 4) {
    const at = j << 2;
    const root = f32x4.sqrt(f32x4.add(v128.load(variance + at), f32x4.splat(epsilon)));
    storePart(deviation + at, root, columns - j);
  }
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j += 4) {
      const at = j << 2;
      const place = i * row + at;
      const value = f32x4.div(f32x4.sub(v128.load(x + place), v128.load(mean + at)), v128.load(deviation + at));
      storePart(hat + place, value, columns - j);
      storePart(y + place, mulAdd(v128.load(beta + at), value, v128.load(gamma + at)), columns - j);
    }
}

/** x = a b, value by value. */
export function multiply(a: usize, b: usize, x: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    storePart(x + at, f32x4.mul(v128.load(a + at), v128.load(b + at)), count - i);
  }
}

/** dx of batch normalisation by the batch's own statistics, given dGamma and dBeta; dx may be dy. */
export function normalizeColumnsBack(
  hat: usize, dy: usize, gamma: usize, deviation: usize, dGamma: usize, dBeta: usize,
  dx: usize, rows: usize, columns: usize,
): void {
  const row = columns << 2;
  const n = f32x4.splat(<f32>rows);
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j += 4) {
      const at = j << 2;
      const place = i * row + at;
      const mean = f32x4.div(v128.load(dBeta + at), n);
      const tilt = f32x4.mul(v128.load(hat + place), f32x4.div(v128.load(dGamma + at), n));
      const inner = f32x4.sub(f32x4.sub(v128.load(dy + place), mean), tilt);
      const scale = f32x4.div(v128.load(gamma + at), v128.load(deviation + at));
      storePart(dx + place, f32x4.mul(inner, scale), columns - j);
    }
}

/** Every row by its own mean and variance: hat, y = hat gamma + beta, and each row's root. Ba et al. 2016, eq. 4. */
export function normalizeRows(
  x: usize, gamma: usize, beta: usize, deviation: usize, hat: usize, y: usize,
  rows: usize, columns: usize, epsilon: f32,
): void {
  const bytes = columns << 2;
  for (let row: usize = 0; row < rows; row++) {
    const at = row * bytes;
    let sum: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) sum += <f64>load<f32>(x + at + j);
    const mean = <f32>(sum / <f64>columns);
    let squares: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) {
      const far = <f64>(load<f32>(x + at + j) - mean);
      squares += far * far;
    }
    const root = sqrt<f32>(<f32>(squares / <f64>columns) + epsilon);
    store<f32>(deviation + (row << 2), root);
    for (let j: usize = 0; j < bytes; j += 4) {
      const value = (load<f32>(x + at + j) - mean) / root;
      store<f32>(hat + at + j, value);
      store<f32>(y + at + j, load<f32>(beta + j) + value * load<f32>(gamma + j));
    }
  }
}

/** dx of `normalizeRows`; dx may be dy. */
export function normalizeRowsBack(
  hat: usize, dy: usize, gamma: usize, deviation: usize, dx: usize, rows: usize, columns: usize,
): void {
  const bytes = columns << 2;
  for (let row: usize = 0; row < rows; row++) {
    const at = row * bytes;
    let sum: f64 = 0;
    let tilt: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 4) {
      const slope = <f64>(load<f32>(dy + at + j) * load<f32>(gamma + j));
      sum += slope;
      tilt += slope * <f64>load<f32>(hat + at + j);
    }
    const mean = <f32>(sum / <f64>columns);
    const lean = <f32>(tilt / <f64>columns);
    const root = load<f32>(deviation + (row << 2));
    for (let j: usize = 0; j < bytes; j += 4) {
      const slope = load<f32>(dy + at + j) * load<f32>(gamma + j);
      store<f32>(dx + at + j, (slope - mean - load<f32>(hat + at + j) * lean) / root);
    }
  }
}

/** `count` floats of one value. */
export function fill(dst: usize, count: usize, value: f32): void {
  for (let i: usize = 0; i < count; i++) store<f32>(dst + (i << 2), value);
}
