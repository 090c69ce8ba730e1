// Activations inside layers: computed in place on a layer's output, and on the gradient that comes back.

import { Unsupported } from "./config.js";
import { activationKinds, type Kernels } from "./kernels.js";

/** What tfjs calls them, in either spelling. */
const KINDS: Readonly<Record<string, number>> = {
  linear: activationKinds.linear,
  relu: activationKinds.relu,
  sigmoid: activationKinds.sigmoid,
  tanh: activationKinds.tanh,
  elu: activationKinds.elu,
  selu: activationKinds.selu,
  relu6: activationKinds.relu6,
  hard_sigmoid: activationKinds.hardSigmoid,
  hardSigmoid: activationKinds.hardSigmoid,
  softplus: activationKinds.softplus,
  softsign: activationKinds.softsign,
};

/** An activation function of rows. */
export interface Activation {
  /** y = f(y), `rows` rows of `columns`. */
  forward(kernels: Kernels, y: number, rows: number, columns: number): void;
  /** dy = dy x f'(.), from y = f(.). */
  backward(kernels: Kernels, y: number, dy: number, rows: number, columns: number): void;
}

/** The activation named by a layer's option. Throws Unsupported. */
export function activationOf(name: string): Activation {
  if (name === "softmax") return softmax;
  return elementwise(kindOf(name));
}

/** The kernel's number for an activation that works value by value. Throws Unsupported. */
export function kindOf(name: string, option = "activation"): number {
  const kind = KINDS[name];
  if (kind === undefined) throw new Unsupported(`option ${option} ${JSON.stringify(name)}`);
  return kind;
}

/** An activation that works value by value. */
export function elementwise(kind: number, alpha = 1): Activation {
  if (kind === activationKinds.linear) return { forward: () => undefined, backward: () => undefined };
  return {
    forward: (kernels, y, rows, columns) => kernels.activate(kind, y, y, rows * columns, alpha),
    backward: (kernels, y, dy, rows, columns) => kernels.activateBack(kind, y, dy, dy, rows * columns, alpha),
  };
}

const softmax: Activation = {
  forward: (kernels, y, rows, columns) => kernels.softmax(y, y, rows, columns),
  backward: (kernels, y, dy, rows, columns) => kernels.softmaxBack(y, dy, dy, rows, columns),
};
