// What recurrent layers have in common: options, buffers in time order, the products around the cells.

import { kindOf } from "../activations.js";
import { type Config, Unsupported } from "../config.js";
import { type LayerKind, type LayerPlan, type ParamPlan, type Shape, type Site, single } from "../layer.js";

/** A cell's own arithmetic; see gru.ts, lstm.ts, simple-rnn.ts. Gates of a step lie at `gates`, rows x (gates x units). */
export interface Cell {
  readonly gates: number;
  emit(place: CellPlace): CellCode;
}

/** Where a cell works. Buffers that it keeps per step are its own. */
export interface CellPlace extends Pick<Site, "kernels" | "capacity" | "isTraining" | "allocate"> {
  readonly units: number;
  readonly steps: number;
  /** The recurrent kernel: units x (gates x units), and its gradient (0: not wanted). */
  readonly u: number;
  readonly du: number;
  /** Activation kinds: of the gates, of the candidate. */
  readonly gateKind: number;
  readonly kind: number;
}

/** One pass over time. `h(t)` is the state before step t, rows x units; h(0) is zeros. */
export interface CellCode {
  /** `gates` holds x W + b of step t; fills h(t + 1) and leaves in `gates` what `stepBack` needs. */
  step(t: number, gates: number, h: number, next: number, rows: number): void;
  /** Before the first `stepBack` of a pass. */
  startBack(rows: number): void;
  /** From dh (of h(t + 1)): fills `dGates`, and turns dh into that of h(t). */
  stepBack(t: number, gates: number, h: number, dh: number, dGates: number, rows: number): void;
  /** Once `dGates` of all steps are there: the gradient of the recurrent kernel. */
  finishBack(h: number, dGates: number, rows: number): void;
}

/** A layer that runs `cell` over time. */
export function recurrent(cell: Cell, hasGateActivation: boolean): LayerKind {
  return (config, inputs) => planRecurrent(config, single(inputs), cell, hasGateActivation);
}

function planRecurrent(config: Config, input: Shape, cell: Cell, hasGateActivation: boolean): LayerPlan {
  if (input.length !== 2) throw new Unsupported(`an input of [${input.join(", ")}], expected 2 axes`);
  const [steps, width] = [input[0]!, input[1]!];
  const units = config.count("units");
  const kind = kindOf(config.text("activation", "tanh"));
  const gateName = hasGateActivation ? config.text("recurrent_activation", "hard_sigmoid") : "linear";
  const gateKind = kindOf(gateName, "recurrent_activation");
  const hasBias = config.boolean("use_bias", true);
  const isSequence = config.boolean("return_sequences", false);
  const isBackwards = config.boolean("go_backwards", false);
  config.ignore("kernel_initializer", "recurrent_initializer", "bias_initializer", "unit_forget_bias");
  config.ignore("implementation", "unroll", "input_dim", "input_length");
  config.refuse("kernel_constraint", "recurrent_constraint", "bias_constraint", "activity_regularizer");
  config.refuse("dropout", "recurrent_dropout", "return_state", "stateful", "reset_after");
  const wide = cell.gates * units;
  // tfjs accepts them and leaves them out of the loss.
  config.refuse("kernel_regularizer", "recurrent_regularizer", "bias_regularizer");
  const param = (name: string, shape: Shape): ParamPlan => {
    return { name, shape, trainable: true, regularizer: { l1: 0, l2: 0 } };
  };
  const bias = param("bias", [wide]);
  return {
    output: isSequence ? [steps, units] : [units],
    params: [
      param("kernel", [width, wide]),
      param("recurrent_kernel", [units, wide]),
      ...(hasBias ? [bias] : []),
    ],
    emit(site) {
      const shape = { steps, width, units, wide, isSequence, isBackwards };
      const [, u = 0] = site.params;
      const [, du = 0] = site.gradients;
      const { kernels, capacity, isTraining, allocate } = site;
      const place = { kernels, capacity, isTraining, allocate, units, steps, u, du, gateKind, kind };
      return emitRecurrent(site, shape, cell.emit(place));
    },
  };
}

interface RecurrentShape {
  readonly steps: number;
  readonly width: number;
  readonly units: number;
  /** Gates x units. */
  readonly wide: number;
  readonly isSequence: boolean;
  readonly isBackwards: boolean;
}

// Buffers are step by step, rows x values each, so that a step is one dense block.
function emitRecurrent(site: Site, shape: RecurrentShape, cell: CellCode) {
  const {
    kernels,
    x: [x = 0],
    y,
    dx: [dx = 0],
    dy,
    capacity,
    isTraining,
    allocate,
  } = site;
  const { steps, width, units, wide, isSequence, isBackwards } = shape;
  const [w = 0, , b = 0] = site.params;
  const [dw = 0, , db = 0] = site.gradients;
  const gates = allocate(steps * capacity * wide);
  const states = allocate((steps + 1) * capacity * units);
  const dGates = isTraining ? allocate(steps * capacity * wide) : 0;
  const dh = isTraining ? allocate(capacity * units) : 0;
  const flipped = dx === 0 ? 0 : allocate(width * wide);
  const xRow = steps * width * 4;
  const yRow = steps * units * 4;
  /** Where step t reads its input: in a row of x. */
  const xAt = (t: number) => (isBackwards ? steps - 1 - t : t) * width * 4;
  const xStep = (isBackwards ? -1 : 1) * width * 4;
  return {
    forward(rows: number) {
      const [gateBytes, stateBytes] = [rows * wide * 4, rows * units * 4];
      kernels.zero(states, stateBytes);
      for (let t = 0; t < steps; t++) {
        const at = gates + t * gateBytes;
        kernels.gemm(x + xAt(t), xRow, 4, 0, w, wide * 4, 0, at, wide * 4, b, 0, rows, wide, width, 1);
        const h = states + t * stateBytes;
        cell.step(t, at, h, h + stateBytes, rows);
        if (isSequence) kernels.copyRows(h + stateBytes, units * 4, y + t * units * 4, yRow, rows, units * 4);
      }
      if (!isSequence) kernels.copyRows(states + steps * stateBytes, 0, y, 0, 1, stateBytes);
    },
    backward(rows: number) {
      const [gateBytes, stateBytes] = [rows * wide * 4, rows * units * 4];
      if (isSequence) kernels.zero(dh, stateBytes);
      else kernels.copyRows(dy, 0, dh, 0, 1, stateBytes);
      cell.startBack(rows);
      for (let t = steps - 1; t >= 0; t--) {
        if (isSequence) addRows(kernels, dy + t * units * 4, yRow, dh, rows, units);
        const h = states + t * stateBytes;
        cell.stepBack(t, gates + t * gateBytes, h, dh, dGates + t * gateBytes, rows);
      }
      cell.finishBack(states, dGates, rows);
      const all = [dGates, wide * 4, gateBytes] as const;
      if (dw !== 0)
        kernels.gemm(x + xAt(0), 4, xRow, xStep, ...all, dw, wide * 4, 0, 0, width, wide, rows, steps);
      if (db !== 0) kernels.columnSums(dGates, wide * 4, db, steps * rows, wide);
      if (dx === 0) return;
      kernels.transpose(w, wide * 4, flipped, width, wide);
      for (let t = 0; t < steps; t++) {
        const at = dGates + t * gateBytes;
        kernels.gemm(
          at,
          wide * 4,
          4,
          0,
          flipped,
          width * 4,
          0,
          dx + xAt(t),
          xRow,
          0,
          0,
          rows,
          width,
          wide,
          1,
        );
      }
    },
  };
}

// dh += rows of dy, which lie `stride` bytes apart.
function addRows(
  kernels: Site["kernels"],
  dy: number,
  stride: number,
  dh: number,
  rows: number,
  units: number,
): void {
  for (let row = 0; row < rows; row++) {
    const at = dh + row * units * 4;
    kernels.add(at, dy + row * stride, at, units);
  }
}
