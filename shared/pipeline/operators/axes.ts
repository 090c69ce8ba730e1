// corr, sma, angle: what several axes of one sensor say together.

import { z } from "zod";
import type { BlockOperator } from "./block-operator.js";
import { fieldName } from "./fields.js";
import { type Field, OperatorError } from "./port.js";

const pair = z.tuple([fieldName, fieldName]);

const corrParams = z.strictObject({
  of: z.array(pair).min(1).max(64).describe("Pairs of vectors: [[ax, ay], [ax, az]]."),
});

/** Columns `corr_ax_ay`: Pearson's correlation of two vectors, 0 where one of them does not vary. */
export const corr: BlockOperator<z.output<typeof corrParams>> = {
  name: "corr",
  doc: "Correlation of vectors, from -1 to 1: {of: [[ax, ay], [ax, az]]}.",
  example: { params: { of: [["ax", "ay"]] }, vectors: { ax: 8, ay: 8 } },
  params: corrParams,
  groups: ({ of }) =>
    of.map((pair, i) => ({
      of: pair,
      paths: pair.map((_, side) => ["of", i, side]),
      names: [`corr_${pair.join("_")}`],
    })),
  compile(_params, fields) {
    checkLengths(fields);
    return ([x, y], out, offset) => {
      out[offset] = correlation(x!, y!);
    };
  },
};

const smaParams = z.strictObject({ of: z.array(fieldName).min(1).max(16) });

/** Column `sma_ax_ay_az`: signal magnitude area, the mean over time of |ax| + |ay| + |az|, in the samples' unit. */
export const sma: BlockOperator<z.output<typeof smaParams>> = {
  name: "sma",
  doc: "Signal magnitude area: {of: [ax, ay, az]}, the mean of the sum of magnitudes.",
  example: { params: { of: ["ax", "ay", "az"] }, vectors: { ax: 8, ay: 8, az: 8 } },
  params: smaParams,
  groups: ({ of }) => [{ of, paths: of.map((_, i) => ["of", i]), names: [`sma_${of.join("_")}`] }],
  compile(_params, fields) {
    checkLengths(fields);
    return (blocks, out, offset) => {
      let sum = 0;
      for (const block of blocks) sum += meanMagnitude(block);
      out[offset] = sum;
    };
  },
};

const angleParams = z.strictObject({
  of: z.tuple([fieldName, fieldName, fieldName]).describe("Three axes: [gx, gy, gz]."),
  to: z
    .tuple([z.number(), z.number(), z.number()])
    .refine((direction) => direction.some((x) => x !== 0), { error: "expected a direction, not [0, 0, 0]" })
    .describe("The direction: [0, 0, 1]."),
});

/** Column `angle_gx_gy_gz`: radians, 0 to pi, between the axes' means and a direction; 0 where the means are 0. */
export const angle: BlockOperator<z.output<typeof angleParams>> = {
  name: "angle",
  doc: "Angle between three axes' means and a direction, in radians: {of: [gx, gy, gz], to: [0, 0, 1]}.",
  example: { params: { of: ["gx", "gy", "gz"], to: [0, 0, 1] }, vectors: { gx: 8, gy: 8, gz: 8 } },
  params: angleParams,
  groups: ({ of }) => [{ of, paths: of.map((_, i) => ["of", i]), names: [`angle_${of.join("_")}`] }],
  compile: ({ to: [tx, ty, tz] }) => {
    return ([gx, gy, gz], out, offset) => {
      const x = meanOf(gx!);
      const y = meanOf(gy!);
      const z = meanOf(gz!);
      // By cross and dot product: exact near 0 and pi, where an arc cosine is not.
      const cross = Math.hypot(y * tz - z * ty, z * tx - x * tz, x * ty - y * tx);
      out[offset] = Math.atan2(cross, x * tx + y * ty + z * tz);
    };
  },
};

function checkLengths(fields: readonly Field[]): void {
  const [first] = fields;
  const other = fields.find(({ length }) => length !== first?.length);
  if (first === undefined || other === undefined) return;
  throw new OperatorError(
    ["of"],
    `expected vectors of one length: "${first.name}" has ${first.length} samples, "${other.name}" ${other.length}`,
  );
}

function meanOf(block: Float32Array): number {
  let sum = 0;
  for (let n = 0; n < block.length; n++) sum += block[n]!;
  return sum / block.length;
}

function meanMagnitude(block: Float32Array): number {
  let sum = 0;
  for (let n = 0; n < block.length; n++) sum += Math.abs(block[n]!);
  return sum / block.length;
}

function correlation(x: Float32Array, y: Float32Array): number {
  const meanX = meanOf(x);
  const meanY = meanOf(y);
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let n = 0; n < x.length; n++) {
    const dx = x[n]! - meanX;
    const dy = y[n]! - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  // Two roots: the product of sums of large samples would overflow long before.
  const size = Math.sqrt(xx) * Math.sqrt(yy);
  return size === 0 ? 0 : Math.min(1, Math.max(-1, xy / size));
}
