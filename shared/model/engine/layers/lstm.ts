// LSTM, gates in tfjs's order i, f, candidate, o. Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

import type { Cell } from "./recurrent.js";

/** The cell of tfjs `layers.lstm`. */
export const lstmCell: Cell = {
  gates: 4,
  emit({ kernels, capacity, isTraining, allocate, units, steps, u, du, gateKind, kind }) {
    const row = units * 4;
    const wide = 4 * row;
    // Cell states, the first of them zeros, and their activations.
    const cells = allocate((steps + 1) * capacity * units);
    const squashed = allocate(steps * capacity * units);
    const dCell = isTraining ? allocate(capacity * units) : 0;
    const flipped = isTraining ? allocate(4 * units * units) : 0;
    return {
      step(t, gates, h, next, rows) {
        const block = rows * row;
        const c = cells + t * block;
        if (t === 0) kernels.zero(cells, block);
        kernels.gemm(h, row, 4, 0, u, wide, 0, gates, wide, gates, wide, rows, 4 * units, units, 1);
        kernels.lstmOutput(gates, c, c + block, squashed + t * block, next, rows, units, gateKind, kind);
      },
      startBack(rows) {
        kernels.zero(dCell, rows * row);
        kernels.transpose(u, wide, flipped, units, 4 * units);
      },
      stepBack(t, gates, _h, dh, dGates, rows) {
        const block = rows * row;
        const places = [cells + t * block, squashed + t * block] as const;
        kernels.lstmOutputBack(gates, ...places, dh, dCell, dGates, rows, units, gateKind, kind);
        kernels.gemm(dGates, wide, 4, 0, flipped, row, 0, dh, row, 0, 0, rows, units, 4 * units, 1);
      },
      finishBack(h, dGates, rows) {
        const [from, to] = [rows * row, rows * wide];
        if (du !== 0)
          kernels.gemm(h, 4, row, from, dGates, wide, to, du, wide, 0, 0, units, 4 * units, rows, steps);
      },
    };
  },
};
