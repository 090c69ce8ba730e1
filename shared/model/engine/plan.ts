// From a topology to a plan: which layers, which shapes, which params, in which order. Pure: no memory, no kernels.

import { createParamSpec, type ParamSpec, sizeOf } from "../../params/spec.js";
import type { ModelDefinition } from "../definition.js";
import { Config, type Regularizer, Unsupported } from "./config.js";
import { type Graph, type GraphLayer, readGraph } from "./graph.js";
import type { LayerPlan, ParamPlan, Shape } from "./layer.js";
import { layerKinds } from "./layers/registry.js";

/** A layer in its place. */
export interface PlannedLayer {
  readonly name: string;
  readonly className: string;
  readonly plan: LayerPlan;
  /** Positions of the layers that feed it. */
  readonly inputs: readonly number[];
  /** Positions of its params in `ModelPlan.spec.entries`. */
  readonly params: readonly number[];
  /** True when it or something before it learns: then its gradient is wanted. */
  readonly learns: boolean;
}

/** A model that the fused engine runs. */
export interface ModelPlan {
  /** Inputs first; each after those that feed it. */
  readonly layers: readonly PlannedLayer[];
  /** Position of the output layer. */
  readonly output: number;
  readonly outputShape: Shape;
  /** As tfjs `getWeights()`: trainable params first. */
  readonly spec: ParamSpec;
  /** Floats of `spec` that are trained: the first so many. */
  readonly trainable: number;
  /** Params with a regularizer: position in `spec.entries`, and what. */
  readonly regularizers: readonly { readonly entry: number; readonly regularizer: Regularizer }[];
}

/** A plan, or why there is none: one line for each layer that is not supported. */
export type Planned =
  | { readonly ok: true; readonly plan: ModelPlan }
  | { readonly ok: false; readonly reasons: readonly string[] };

/** Plans `definition`. A topology that does not fit together is not supported either: tfjs says what is wrong. */
export function planModel(definition: ModelDefinition): Planned {
  try {
    const graph = readGraph(definition.topology);
    const reasons: string[] = [];
    const parts = planLayers(graph, reasons);
    if (reasons.length > 0) return { ok: false, reasons };
    return { ok: true, plan: assemble(graph, parts, definition) };
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, reasons: [error.message] };
    throw error;
  }
}

function planLayers(graph: Graph, reasons: string[]): Map<string, LayerPlan> {
  const plans = new Map<string, LayerPlan>();
  for (const layer of graph.layers) {
    const inputs = layer.inputs.map((name) => plans.get(name)?.output);
    // After a layer that is not supported nothing is known; what follows is checked for its kind only.
    const known = inputs.filter((shape) => shape !== undefined);
    const plan = planLayer(layer, known.length === inputs.length ? known : undefined, reasons);
    if (plan !== undefined) plans.set(layer.name, plan);
  }
  return plans;
}

function planLayer(
  { name, className, config }: GraphLayer,
  inputs: readonly Shape[] | undefined,
  reasons: string[],
): LayerPlan | undefined {
  const title = `layer ${JSON.stringify(name)} (${className})`;
  const kind = Object.hasOwn(layerKinds, className) ? layerKinds[className] : undefined;
  if (kind === undefined) {
    reasons.push(`${title}: not among the layers of the fused engine`);
    return undefined;
  }
  if (inputs === undefined) return undefined;
  try {
    const reader = new Config(config);
    const plan = kind(reader, inputs);
    reader.finish();
    return plan;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    reasons.push(`${title}: ${error.message}`);
    return undefined;
  }
}

function assemble(
  graph: Graph,
  plans: ReadonlyMap<string, LayerPlan>,
  definition: ModelDefinition,
): ModelPlan {
  const parts = graph.layers.map((layer) => ({ layer, plan: plans.get(layer.name)! }));
  const position = new Map(graph.layers.map(({ name }, at) => [name, at]));
  const owned = parts.flatMap(({ layer, plan }) =>
    plan.params.map((param) => ({
      param: layer.config.trainable === false ? { ...param, trainable: false } : param,
      layer: layer.name,
      key: `${layer.name}/${param.name}`,
    })),
  );
  const ordered = [
    ...owned.filter(({ param }) => param.trainable),
    ...owned.filter(({ param }) => !param.trainable),
  ];
  const spec = createParamSpec(ordered.map(({ key, param }) => ({ name: key, shape: param.shape })));
  const entryOf = new Map(ordered.map(({ key }, at) => [key, at]));
  const learns: boolean[] = [];
  const layers = parts.map(({ layer, plan }, at): PlannedLayer => {
    const inputs = layer.inputs.map((name) => position.get(name)!);
    const own = plan.params.some(({ trainable }) => trainable) && layer.config.trainable !== false;
    learns[at] = own || inputs.some((input) => learns[input]);
    const params = plan.params.map(({ name }) => entryOf.get(`${layer.name}/${name}`)!);
    return { name: layer.name, className: layer.className, plan, inputs, params, learns: learns[at] };
  });
  const output = position.get(graph.output)!;
  const outputShape = parts[output]!.plan.output;
  checkWidth("input", inputShape(parts), definition.inputs);
  checkWidth("output", outputShape, definition.outputs);
  return {
    layers,
    output,
    outputShape,
    spec,
    trainable: trainableOf(ordered),
    regularizers: regularizersOf(ordered),
  };
}

function trainableOf(ordered: readonly { readonly param: ParamPlan }[]): number {
  return ordered.reduce((sum, { param }) => sum + (param.trainable ? sizeOf(param.shape) : 0), 0);
}

function regularizersOf(ordered: readonly { readonly param: ParamPlan }[]): ModelPlan["regularizers"] {
  return ordered.flatMap(({ param: { regularizer } }, entry) =>
    regularizer.l1 === 0 && regularizer.l2 === 0 ? [] : [{ entry, regularizer }],
  );
}

function inputShape(parts: readonly { readonly layer: GraphLayer; readonly plan: LayerPlan }[]): Shape {
  const inputs = parts.filter(({ layer }) => layer.className === "InputLayer");
  if (inputs.length !== 1) throw new Unsupported(`the model has ${inputs.length} inputs, expected 1`);
  return inputs[0]!.plan.output;
}

function checkWidth(side: string, shape: Shape, expected: number): void {
  if (sizeOf(shape) === expected) return;
  throw new Unsupported(
    `the topology's ${side} shape [${shape.join(", ")}] holds ${sizeOf(shape)} values, expected ${expected}`,
  );
}
