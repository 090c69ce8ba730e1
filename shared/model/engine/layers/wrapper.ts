// Layers around layers: TimeDistributed(Dense), and Bidirectional around a recurrent layer.

import { sizeOf } from "../../../params/spec.js";
import type { JsonObject } from "../../../task/task.js";
import { Config, Unsupported } from "../config.js";
import { type LayerKind, type LayerPlan, type Shape, single } from "../layer.js";
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
  const mode = config.choice("merge_mode", ["concat", "sum", "ave"], "concat");
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
      const merge = merging(site, mode, one);
      return {
        forward(rows, pass) {
          forward.forward(rows, pass);
          backward.forward(rows, pass);
          merge.join(a.y, b.y, y, rows);
        },
        backward(rows, pass) {
          merge.split(dy, a.dy, b.dy, rows);
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

// Brings the two ways together. Steps of the second are in its own order, so sequences are turned around.
function merging(
  { kernels }: Parameters<LayerPlan["emit"]>[0],
  mode: "concat" | "sum" | "ave",
  shape: Shape,
) {
  const units = shape.at(-1)!;
  const steps = shape.length === 2 ? shape[0]! : 1;
  const line = units * 4;
  const isConcat = mode === "concat";
  const outLine = isConcat ? 2 * line : line;
  const factor = mode === "ave" ? 0.5 : 1;
  return {
    join(a: number, b: number, y: number, rows: number) {
      kernels.copyRows(a, line, y, outLine, rows * steps, line);
      for (let row = 0; row < rows; row++)
        for (let t = 0; t < steps; t++) {
          const from = b + (row * steps + steps - 1 - t) * line;
          const to = y + (row * steps + t) * outLine;
          if (isConcat) kernels.copyRows(from, 0, to + line, 0, 1, line);
          else kernels.add(to, from, to, units);
        }
      if (factor !== 1) kernels.scale(y, rows * steps * units, factor);
    },
    split(dy: number, da: number, db: number, rows: number) {
      if (factor !== 1) kernels.scale(dy, rows * steps * units, factor);
      kernels.copyRows(dy, outLine, da, line, rows * steps, line);
      const start = isConcat ? dy + line : dy;
      for (let row = 0; row < rows; row++)
        for (let t = 0; t < steps; t++)
          kernels.copyRows(
            start + (row * steps + t) * outLine,
            0,
            db + (row * steps + steps - 1 - t) * line,
            0,
            1,
            line,
          );
    },
  };
}
