// Butterworth filters: as flat as can be where they let pass.

import { unreachable } from "../../assert.js";

/** What passes, in Hz. */
export type PassBand =
  | { readonly kind: "lowpass" | "highpass"; readonly cutoffHz: number }
  | { readonly kind: "band"; readonly lowHz: number; readonly highHz: number };

/** One second-order section: (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2). */
export interface Section {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** What is designed. */
export interface ButterworthOptions {
  readonly pass: PassBand;
  /** Poles of the low-pass prototype; a band has twice as many. */
  readonly order: number;
  readonly rateHz: number;
}

/**
 * Sections one after the other, by the bilinear transform with prewarped edges: at each edge half the power passes. The
 * same transfer function as SciPy's `butter(order, edges, output="sos")`. Edges must lie between 0 and half the rate,
 * rising.
 */
export function butterworth({ pass, order, rateHz }: ButterworthOptions): readonly Section[] {
  const warped = (hz: number) => Math.tan((Math.PI * hz) / rateHz);
  switch (pass.kind) {
    case "lowpass":
    case "highpass":
      return edgeSections(pass.kind, warped(pass.cutoffHz), order);
    case "band":
      return bandSections(warped(pass.lowHz), warped(pass.highHz), order);
    default:
      return unreachable(pass);
  }
}

// The prototype's poles lie on the unit circle; these are the angles, from the negative real axis, of those above it.
function poleAngles(order: number): readonly number[] {
  return Array.from(
    { length: Math.floor(order / 2) },
    (_, k) => (Math.PI * (2 * k + 1 + (order % 2))) / (2 * order),
  );
}

function edgeSections(kind: "lowpass" | "highpass", edge: number, order: number): readonly Section[] {
  const pairs = poleAngles(order).map((angle) => {
    const linear = 2 * Math.cos(angle) * edge;
    const constant = edge * edge;
    return kind === "lowpass"
      ? digital([0, 0, constant], [1, linear, constant])
      : digital([1, 0, 0], [1, linear, constant]);
  });
  if (order % 2 === 0) return pairs;
  const single = kind === "lowpass" ? digital([0, 0, edge], [0, 1, edge]) : digital([0, 1, 0], [0, 1, edge]);
  return [single, ...pairs];
}

// s becomes (s^2 + centre^2) / (width s): every pole p becomes the two roots of s^2 - p width s + centre^2.
function bandSections(low: number, high: number, order: number): readonly Section[] {
  const width = high - low;
  const square = low * high;
  const sections = poleAngles(order).flatMap((angle) => {
    const p = { re: -Math.cos(angle) * width, im: Math.sin(angle) * width };
    const root = squareRoot({ re: p.re * p.re - p.im * p.im - 4 * square, im: 2 * p.re * p.im });
    return [1, -1].map((sign) => {
      const re = (p.re + sign * root.re) / 2;
      const im = (p.im + sign * root.im) / 2;
      return digital([0, width, 0], [1, -2 * re, re * re + im * im]);
    });
  });
  return order % 2 === 0 ? sections : [digital([0, width, 0], [1, width, square]), ...sections];
}

type Quadratic = readonly [s2: number, s1: number, s0: number];

// s = (1 - z^-1) / (1 + z^-1)
function digital([n2, n1, n0]: Quadratic, [d2, d1, d0]: Quadratic): Section {
  // Nothing of second order: the common factor 1 + z^-1 is left out, or it would be a pole on the unit circle.
  if (n2 === 0 && d2 === 0) {
    const scale = d1 + d0;
    return { b0: (n1 + n0) / scale, b1: (n0 - n1) / scale, b2: 0, a1: (d0 - d1) / scale, a2: 0 };
  }
  const scale = d2 + d1 + d0;
  return {
    b0: (n2 + n1 + n0) / scale,
    b1: (2 * (n0 - n2)) / scale,
    b2: (n2 - n1 + n0) / scale,
    a1: (2 * (d0 - d2)) / scale,
    a2: (d2 - d1 + d0) / scale,
  };
}

function squareRoot({ re, im }: { readonly re: number; readonly im: number }) {
  const size = Math.hypot(re, im);
  return { re: Math.sqrt((size + re) / 2), im: Math.sign(im || 1) * Math.sqrt((size - re) / 2) };
}
