// What recurrent cells do between the products, for one time step of `rows` rows. Gates lie side by side in a row.

import { applyGate, back } from "./activation";
import { storePart } from "./lane";

/** GRU, first half: z and r are activated in place; gated = r h. A row of gates: z, r, candidate; `units` each. */
export function gruGates(gates: usize, h: usize, gated: usize, rows: usize, units: usize, kind: i32): void {
  const one = f32x4.splat(1);
  for (let row: usize = 0; row < rows; row++) {
    const z = gates + row * 3 * (units << 2);
    const r = z + (units << 2);
    const at = row * (units << 2);
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      // r first: a whole vector of z would reach into it.
      const reset = applyGate(kind, v128.load(r + i), one);
      storePart(z + i, applyGate(kind, v128.load(z + i), one), left);
      storePart(r + i, reset, left);
      storePart(gated + at + i, f32x4.mul(reset, v128.load(h + at + i)), left);
    }
  }
}

/** GRU, second half: the candidate is activated in place; next = z h + (1 - z) candidate. */
export function gruOutput(gates: usize, h: usize, next: usize, rows: usize, units: usize, kind: i32): void {
  const one = f32x4.splat(1);
  for (let row: usize = 0; row < rows; row++) {
    const z = gates + row * 3 * (units << 2);
    const c = z + 2 * (units << 2);
    const at = row * (units << 2);
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      const keep = v128.load(z + i);
      const fresh = applyGate(kind, v128.load(c + i), one);
      storePart(c + i, fresh, left);
      const old = v128.load(h + at + i);
      const sum = f32x4.add(f32x4.mul(keep, old), f32x4.mul(f32x4.sub(one, keep), fresh));
      storePart(next + at + i, sum, left);
    }
  }
}

/** GRU, back, first half: dz and dcandidate into dgates; dh becomes dh z (the part that passes by). */
export function gruOutputBack(
  gates: usize, h: usize, dh: usize, dgates: usize, rows: usize, units: usize, gateKind: i32, kind: i32,
): void {
  const one = f32x4.splat(1);
  const wide = units << 2;
  for (let row: usize = 0; row < rows; row++) {
    const g = gates + row * 3 * wide;
    const d = dgates + row * 3 * wide;
    const at = row * wide;
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      const z = v128.load(g + i);
      const c = v128.load(g + 2 * wide + i);
      const slope = v128.load(dh + at + i);
      const dz = f32x4.mul(slope, f32x4.sub(v128.load(h + at + i), c));
      storePart(d + i, back(gateKind, z, dz, one), left);
      storePart(d + 2 * wide + i, back(kind, c, f32x4.mul(slope, f32x4.sub(one, z)), one), left);
      storePart(dh + at + i, f32x4.mul(slope, z), left);
    }
  }
}

/** GRU, back, second half: from dgated, dr into dgates, and dh += dgated r. */
export function gruGatesBack(
  gates: usize, h: usize, dgated: usize, dh: usize, dgates: usize, rows: usize, units: usize, gateKind: i32,
): void {
  const one = f32x4.splat(1);
  const wide = units << 2;
  for (let row: usize = 0; row < rows; row++) {
    const r = gates + row * 3 * wide + wide;
    const d = dgates + row * 3 * wide + wide;
    const at = row * wide;
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      const reset = v128.load(r + i);
      const slope = v128.load(dgated + at + i);
      storePart(d + i, back(gateKind, reset, f32x4.mul(slope, v128.load(h + at + i)), one), left);
      storePart(dh + at + i, f32x4.add(v128.load(dh + at + i), f32x4.mul(slope, reset)), left);
    }
  }
}

/** LSTM: gates i, f, candidate, o activated in place; nextC = f c + i candidate; squashed = f(nextC); next = o squashed. */
export function lstmOutput(
  gates: usize, c: usize, nextC: usize, squashed: usize, next: usize, rows: usize, units: usize, gateKind: i32, kind: i32,
): void {
  const one = f32x4.splat(1);
  const wide = units << 2;
  for (let row: usize = 0; row < rows; row++) {
    const g = gates + row * 4 * wide;
    const at = row * wide;
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      const input = applyGate(gateKind, v128.load(g + i), one);
      const forget = applyGate(gateKind, v128.load(g + wide + i), one);
      const fresh = applyGate(kind, v128.load(g + 2 * wide + i), one);
      const output = applyGate(gateKind, v128.load(g + 3 * wide + i), one);
      const cell = f32x4.add(f32x4.mul(forget, v128.load(c + at + i)), f32x4.mul(input, fresh));
      const flat = applyGate(kind, cell, one);
      storePart(g + i, input, left);
      storePart(g + wide + i, forget, left);
      storePart(g + 2 * wide + i, fresh, left);
      storePart(g + 3 * wide + i, output, left);
      storePart(nextC + at + i, cell, left);
      storePart(squashed + at + i, flat, left);
      storePart(next + at + i, f32x4.mul(output, flat), left);
    }
  }
}

/** LSTM, back: all of dgates from dh and dc (of nextC); dc becomes that of c. */
export function lstmOutputBack(
  gates: usize, c: usize, squashed: usize, dh: usize, dc: usize, dgates: usize,
  rows: usize, units: usize, gateKind: i32, kind: i32,
): void {
  const one = f32x4.splat(1);
  const wide = units << 2;
  for (let row: usize = 0; row < rows; row++) {
    const g = gates + row * 4 * wide;
    const d = dgates + row * 4 * wide;
    const at = row * wide;
    for (let u: usize = 0; u < units; u += 4) {
      const i = u << 2;
      const left = units - u;
      const input = v128.load(g + i);
      const forget = v128.load(g + wide + i);
      const fresh = v128.load(g + 2 * wide + i);
      const output = v128.load(g + 3 * wide + i);
      const flat = v128.load(squashed + at + i);
      const slope = v128.load(dh + at + i);
      const through = back(kind, flat, f32x4.mul(slope, output), one);
      const cell = f32x4.add(v128.load(dc + at + i), through);
      storePart(d + i, back(gateKind, input, f32x4.mul(cell, fresh), one), left);
      storePart(d + wide + i, back(gateKind, forget, f32x4.mul(cell, v128.load(c + at + i)), one), left);
      storePart(d + 2 * wide + i, back(kind, fresh, f32x4.mul(cell, input), one), left);
      storePart(d + 3 * wide + i, back(gateKind, output, f32x4.mul(slope, flat), one), left);
      storePart(dc + at + i, f32x4.mul(cell, forget), left);
    }
  }
}
