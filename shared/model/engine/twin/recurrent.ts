// assembly/recurrent.ts in plain JavaScript, bit for bit.

import { apply, back } from "./activation.js";
import { r } from "./math.js";

/** The kernels of recurrent cells over `f`. */
export function recurrentTwin(f: Float32Array) {
  return {
    gruGates(gates: number, h: number, gated: number, rows: number, units: number, kind: number): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const z = gates / 4 + row * 3 * units + u;
          const at = row * units + u;
          f[z] = apply(kind, f[z]!, 1);
          f[z + units] = apply(kind, f[z + units]!, 1);
          f[gated / 4 + at] = f[z + units]! * f[h / 4 + at]!;
        }
    },
    gruOutput(gates: number, h: number, next: number, rows: number, units: number, kind: number): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const z = gates / 4 + row * 3 * units + u;
          const at = row * units + u;
          const keep = f[z]!;
          const fresh = apply(kind, f[z + 2 * units]!, 1);
          f[z + 2 * units] = fresh;
          f[next / 4 + at] = r(keep * f[h / 4 + at]!) + r(r(1 - keep) * fresh);
        }
    },
    gruOutputBack(
      gates: number,
      h: number,
      dh: number,
      dgates: number,
      rows: number,
      units: number,
      gateKind: number,
      kind: number,
    ): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const g = gates / 4 + row * 3 * units + u;
          const d = dgates / 4 + row * 3 * units + u;
          const at = row * units + u;
          const z = f[g]!;
          const c = f[g + 2 * units]!;
          const slope = f[dh / 4 + at]!;
          f[d] = back(gateKind, z, r(slope * r(f[h / 4 + at]! - c)), 1);
          f[d + 2 * units] = back(kind, c, r(slope * r(1 - z)), 1);
          f[dh / 4 + at] = slope * z;
        }
    },
    gruGatesBack(
      gates: number,
      h: number,
      dgated: number,
      dh: number,
      dgates: number,
      rows: number,
      units: number,
      gateKind: number,
    ): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const place = row * 3 * units + units + u;
          const at = row * units + u;
          const reset = f[gates / 4 + place]!;
          const slope = f[dgated / 4 + at]!;
          f[dgates / 4 + place] = back(gateKind, reset, r(slope * f[h / 4 + at]!), 1);
          f[dh / 4 + at]! += r(slope * reset);
        }
    },
    lstmOutput(
      gates: number,
      c: number,
      nextC: number,
      squashed: number,
      next: number,
      rows: number,
      units: number,
      gateKind: number,
      kind: number,
    ): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const g = gates / 4 + row * 4 * units + u;
          const at = row * units + u;
          const input = apply(gateKind, f[g]!, 1);
          const forget = apply(gateKind, f[g + units]!, 1);
          const fresh = apply(kind, f[g + 2 * units]!, 1);
          const output = apply(gateKind, f[g + 3 * units]!, 1);
          const cell = r(r(forget * f[c / 4 + at]!) + r(input * fresh));
          const flat = apply(kind, cell, 1);
          f[g] = input;
          f[g + units] = forget;
          f[g + 2 * units] = fresh;
          f[g + 3 * units] = output;
          f[nextC / 4 + at] = cell;
          f[squashed / 4 + at] = flat;
          f[next / 4 + at] = output * flat;
        }
    },
    lstmOutputBack(
      gates: number,
      c: number,
      squashed: number,
      dh: number,
      dc: number,
      dgates: number,
      rows: number,
      units: number,
      gateKind: number,
      kind: number,
    ): void {
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < units; u++) {
          const g = gates / 4 + row * 4 * units + u;
          const d = dgates / 4 + row * 4 * units + u;
          const at = row * units + u;
          const [input, forget] = [f[g]!, f[g + units]!];
          const [fresh, output] = [f[g + 2 * units]!, f[g + 3 * units]!];
          const flat = f[squashed / 4 + at]!;
          const slope = f[dh / 4 + at]!;
          const cell = r(f[dc / 4 + at]! + back(kind, flat, r(slope * output), 1));
          f[d] = back(gateKind, input, r(cell * fresh), 1);
          f[d + units] = back(gateKind, forget, r(cell * f[c / 4 + at]!), 1);
          f[d + 2 * units] = back(kind, fresh, r(cell * input), 1);
          f[d + 3 * units] = back(gateKind, output, r(slope * flat), 1);
          f[dc / 4 + at] = cell * forget;
        }
    },
  };
}
