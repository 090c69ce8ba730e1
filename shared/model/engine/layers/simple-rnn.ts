// SimpleRNN: h' = f(x W + b + h U). Elman 1990.

import type { Cell } from "./recurrent.js";

/** The cell of tfjs `layers.simpleRNN`. */
export const simpleCell: Cell = {
  gates: 1,
  emit({ kernels, isTraining, allocate, units, steps, u, du, kind }) {
    const row = units * 4;
    const flipped = isTraining ? allocate(units * units) : 0;
    return {
      step(_t, gates, h, next, rows) {
        kernels.gemm(h, row, 4, 0, u, row, 0, gates, row, gates, row, rows, units, units, 1);
        kernels.activate(kind, gates, next, rows * units, 1);
        kernels.copyRows(next, 0, gates, 0, 1, rows * row);
      },
      startBack: () => kernels.transpose(u, row, flipped, units, units),
      stepBack(_t, gates, _h, dh, dGates, rows) {
        kernels.activateBack(kind, gates, dh, dGates, rows * units, 1);
        kernels.gemm(dGates, row, 4, 0, flipped, row, 0, dh, row, 0, 0, rows, units, units, 1);
      },
      finishBack(h, dGates, rows) {
        const block = rows * row;
        if (du !== 0)
          kernels.gemm(h, 4, row, block, dGates, row, block, du, row, 0, 0, units, units, rows, steps);
      },
    };
  },
};
