// GRU with the reset gate before the product (`reset_after: false`), gates in tfjs's order z, r, candidate. Cho et al.
// 2014: h' = z h + (1 - z) f(x W + b + (r h) U).

import type { Cell } from "./recurrent.js";

/** The cell of tfjs `layers.gru`. */
export const gruCell: Cell = {
  gates: 3,
  emit({ kernels, capacity, isTraining, allocate, units, steps, u, du, gateKind, kind }) {
    const row = units * 4;
    const wide = 3 * row;
    const gated = allocate(steps * capacity * units);
    const dGated = isTraining ? allocate(capacity * units) : 0;
    // The recurrent kernel's columns for z and r, and for the candidate, transposed.
    const gatesBack = isTraining ? allocate(2 * units * units) : 0;
    const candidateBack = isTraining ? allocate(units * units) : 0;
    return {
      step(t, gates, h, next, rows) {
        const mixed = gated + t * rows * row;
        const candidate = gates + 2 * row;
        kernels.gemm(h, row, 4, 0, u, wide, 0, gates, wide, gates, wide, rows, 2 * units, units, 1);
        kernels.gruGates(gates, h, mixed, rows, units, gateKind);
        kernels.gemm(
          mixed,
          row,
          4,
          0,
          u + 2 * row,
          wide,
          0,
          candidate,
          wide,
          candidate,
          wide,
          rows,
          units,
          units,
          1,
        );
        kernels.gruOutput(gates, h, next, rows, units, kind);
      },
      startBack() {
        kernels.transpose(u, wide, gatesBack, units, 2 * units);
        kernels.transpose(u + 2 * row, wide, candidateBack, units, units);
      },
      stepBack(_t, gates, h, dh, dGates, rows) {
        kernels.gruOutputBack(gates, h, dh, dGates, rows, units, gateKind, kind);
        kernels.gemm(
          dGates + 2 * row,
          wide,
          4,
          0,
          candidateBack,
          row,
          0,
          dGated,
          row,
          0,
          0,
          rows,
          units,
          units,
          1,
        );
        kernels.gruGatesBack(gates, h, dGated, dh, dGates, rows, units, gateKind);
        kernels.gemm(dGates, wide, 4, 0, gatesBack, row, 0, dh, row, dh, row, rows, units, 2 * units, 1);
      },
      finishBack(h, dGates, rows) {
        if (du === 0) return;
        const [from, to] = [rows * row, rows * wide];
        kernels.gemm(h, 4, row, from, dGates, wide, to, du, wide, 0, 0, units, 2 * units, rows, steps);
        const candidate = [dGates + 2 * row, wide, to, du + 2 * row, wide] as const;
        kernels.gemm(gated, 4, row, from, ...candidate, 0, 0, units, units, rows, steps);
      },
    };
  },
};
