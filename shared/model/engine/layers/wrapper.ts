// Layers around layers: TimeDistributed(Dense), and Bidirectional around a recurrent layer.

import { sizeOf } from "../../../params/spec.js";
import type { JsonObject } from "../../../task/task.js";
import { Config, Unsupported } from "../config.js";
import { type LayerKind, type LayerPlan, type Shape, type Site, single } from "../layer.js";
import { planDense } from "./dense.js";
import { gruCell } from "./gru.js";
import { lstmCell } from "./lstm.js";
import { recurrent } from "./recurrent.js";
import { simpleCell } from "./simple-rnn.js";

/** tfjs `layers.timeDistributed` around a dense layer. */
export const timeDistributed: LayerKind = (config, inputs) => {
  const inner = config.layer("layer");
  if (inner.className !== "Dense") throw new Unsupported(`option layer ${inner.className}`);
  const reader = new Config(inner.config);
  // tfjs accepts them and leaves them out of the loss.
  reader.refuse("kernel_regularizer", "bias_regularizer");
  const plan = planDense(reader, single(inputs));
  reader.finish();
  return plan;
};

/** Kinds that Bidirectional may run both ways. */
export const recurrentKinds: Readonly<Record<string, LayerKind>> = {
  GRU: recurrent(gruCell, true),
  LSTM: recurrent(lstmCell, true),
  SimpleRNN: recurrent(simpleCell, false),
};

/** tfjs `layers.bidirectional`. Schuster and Paliwal 1997. */
export const bidirectional: LayerKind = (config, inputs) => {
  const inner = config.layer("layer");
  const mode = config.choice("merge_mode", ["concat", "sum", "ave", "mul"], "concat");
  const isBackwards = inner.config.go_backwards === true;
  const forth = planOneWay(inner, inner.config, inputs);
  const back = planOneWay(inner, { ...inner.config, go_backwards: !isBackwards }, inputs);
  const name = typeof inner.config.name === "string" ? inner.config.name : inner.className;
  const named = (way: string, plan: LayerPlan) =>
    plan.params.map((param) => ({ ...param, name: `${way}_${name}/${param.name}` }));
  const one = forth.output;
  const output = mode === "concat" ? [...one.slice(0, -1), one.at(-1)! * 2] : one;
  const count = forth.params.length;
  return {
    output,
    params: [...named("forward", forth), ...named("backward", back)],
    emit(site) {
      const {
        kernels,
        y,
        dy,
        dx: [dx = 0],
        params,
        gradients,
        allocate,
        capacity,
        isTraining,
      } = site;
      const size = sizeOf(one);
      const place = () => ({ y: allocate(capacity * size), dy: isTraining ? allocate(capacity * size) : 0 });
      const [a, b] = [place(), place()];
      const secondDx = dx === 0 ? 0 : allocate(capacity * sizeOf(single(inputs)));
      const first = { ...site, ...a, params: params.slice(0, count), gradients: gradients.slice(0, count) };
      const second = { ...site, ...b, params: params.slice(count), gradients: gradients.slice(count) };
      const forward = forth.emit(first);
      const backward = back.emit({ ...second, dx: [secondDx] });
      const merge = (mode === "mul" ? multiplying : merging)({ kernels, y, dy, a, b, mode, shape: one });
      return {
        forward(rows, pass) {
          forward.forward(rows, pass);
          backward.forward(rows, pass);
          merge.join(rows);
        },
        backward(rows, pass) {
          merge.split(rows);
          forward.backward(rows, pass);
          backward.backward(rows, pass);
          if (dx !== 0) kernels.add(dx, secondDx, dx, rows * sizeOf(single(inputs)));
        },
      };
    },
  };
};

function planOneWay(
  { className }: { readonly className: string },
  options: JsonObject,
  inputs: readonly Shape[],
) {
  const kind = Object.hasOwn(recurrentKinds, className) ? recurrentKinds[className] : undefined;
  if (kind === undefined) throw new Unsupported(`option layer ${className}`);
  const reader = new Config(options);
  const plan = kind(reader, inputs);
  reader.finish();
  return plan;
}

/** Where the two ways meet: what each gives, and what comes of them. */
interface Meeting {
  readonly kernels: Site["kernels"];
  readonly y: number;
  readonly dy: number;
  readonly a: { readonly y: number; readonly dy: number };
  readonly b: { readonly y: number; readonly dy: number };
  readonly mode: "concat" | "sum" | "ave" | "mul";
  /** Of one way's output. */
  readonly shape: Shape;
}

// Brings the two ways together. Steps of the second are in its own order, so sequences are turned around.
function merging({ kernels, y, dy, a, b, mode, shape }: Meeting) {
  const { units, steps, turned } = stepsOf(shape);
  const line = units * 4;
  const isConcat = mode === "concat";
  const outLine = isConcat ? 2 * line : line;
  const factor = mode === "ave" ? 0.5 : 1;
  return {
    join(rows: number) {
      kernels.copyRows(a.y, line, y, outLine, rows * steps, line);
      for (let at = 0; at < rows * steps; at++) {
        const from = b.y + turned(at) * line;
        const to = y + at * outLine;
        if (isConcat) kernels.copyRows(from, 0, to + line, 0, 1, line);
        else kernels.add(to, from, to, units);
      }
      if (factor !== 1) kernels.scale(y, rows * steps * units, factor);
    },
    split(rows: number) {
      if (factor !== 1) kernels.scale(dy, rows * steps * units, factor);
      kernels.copyRows(dy, outLine, a.dy, line, rows * steps, line);
      const start = isConcat ? dy + line : dy;
      for (let at = 0; at < rows * steps; at++)
        kernels.copyRows(start + at * outLine, 0, b.dy + turned(at) * line, 0, 1, line);
    },
  };
}

// A product's gradient by one way is dy times the other.
function multiplying({ kernels, y, dy, a, b, shape }: Meeting) {
  const { units, steps, turned } = stepsOf(shape);
  const line = units * 4;
  return {
    join(rows: number) {
      for (let at = 0; at < rows * steps; at++)
        kernels.multiply(a.y + at * line, b.y + turned(at) * line, y + at * line, units);
    },
    split(rows: number) {
      for (let at = 0; at < rows * steps; at++) {
        const [here, there] = [at * line, turned(at) * line];
        kernels.multiply(dy + here, b.y + there, a.dy + here, units);
        kernels.multiply(dy + here, a.y + here, b.dy + there, units);
      }
    },
  };
}

// The steps of all rows in one count, and where the second way has the step `at` of the first.
function stepsOf(shape: Shape) {
  const steps = shape.length === 2 ? shape[0]! : 1;
  const turned = (at: number) => at - (at % steps) + (steps - 1 - (at % steps));
  return { units: shape.at(-1)!, steps, turned };
}
