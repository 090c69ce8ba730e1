// A tfjs topology as a graph of layers: who feeds whom, in the order tfjs itself keeps its layers and so its params.

import { isJsonObject } from "../../task/json.js";
import type { JsonObject, JsonValue } from "../../task/task.js";
import { Unsupported } from "./config.js";

/** One layer as written in a topology. */
export interface GraphLayer {
  readonly name: string;
  readonly className: string;
  readonly config: JsonObject;
  /** Names of the layers that feed it; empty for the input. */
  readonly inputs: readonly string[];
}

/** Layers in tfjs's order, inputs first; the last is not always the output. */
export interface Graph {
  readonly layers: readonly GraphLayer[];
  readonly output: string;
}

/** Reads a topology (Sequential or functional). Throws Unsupported. */
export function readGraph(topology: JsonObject): Graph {
  const config = topology.config;
  switch (topology.class_name) {
    case "Sequential":
      return readSequential(config);
    case "Model":
    case "Functional":
      if (!isJsonObject(config)) throw new Unsupported("the model has no config");
      return readFunctional(config);
    default:
      throw new Unsupported(`class_name ${JSON.stringify(topology.class_name ?? null)} is no model`);
  }
}

function readSequential(config: JsonValue | undefined): Graph {
  // Older files have the list itself as config.
  const list = isJsonObject(config) ? config.layers : config;
  if (!Array.isArray(list) || list.length === 0) throw new Unsupported("the model has no layers");
  const layers: GraphLayer[] = [];
  for (const [at, item] of list.entries()) {
    const { className, config: own } = readLayer(item);
    const name = typeof own.name === "string" ? own.name : `layer_${at + 1}`;
    if (at === 0 && className !== "InputLayer") layers.push(impliedInput(name, own));
    const before = layers.at(-1);
    layers.push({ name, className, config: own, inputs: before === undefined ? [] : [before.name] });
  }
  return { layers, output: layers.at(-1)!.name };
}

function impliedInput(name: string, { batch_input_shape, dtype }: JsonObject): GraphLayer {
  if (batch_input_shape === undefined) throw new Unsupported("the first layer has no batch_input_shape");
  const config = { batch_input_shape, dtype: dtype ?? "float32", name: `${name}_input` };
  return { name: config.name, className: "InputLayer", config, inputs: [] };
}

function readFunctional(config: JsonObject): Graph {
  if (!Array.isArray(config.layers)) throw new Unsupported("the model has no layers");
  const byName = new Map<string, GraphLayer>();
  for (const item of config.layers) {
    const layer = { ...readLayer(item), name: nameOf(item), inputs: inboundOf(item) };
    byName.set(layer.name, layer);
  }
  const inputs = endsOf(config.input_layers, "input");
  const outputs = endsOf(config.output_layers, "output");
  if (inputs.length !== 1) throw new Unsupported(`the model has ${inputs.length} inputs, expected 1`);
  if (outputs.length !== 1) throw new Unsupported(`the model has ${outputs.length} outputs, expected 1`);
  const output = outputs[0]!;
  return { layers: inTfjsOrder(byName, output), output };
}

// tfjs, engine/container.js: layers by decreasing depth (distance to the output), and within a depth in the order in
// which a walk from the output first meets them.
function inTfjsOrder(byName: ReadonlyMap<string, GraphLayer>, output: string): GraphLayer[] {
  const met = new Map<string, number>();
  const finished: string[] = [];
  const open = new Set<string>();
  const visit = (name: string) => {
    if (open.has(name)) throw new Unsupported(`layer ${JSON.stringify(name)} feeds itself`);
    if (met.has(name)) return;
    const layer = byName.get(name);
    if (layer === undefined) throw new Unsupported(`layer ${JSON.stringify(name)} is not in the model`);
    met.set(name, met.size);
    open.add(name);
    for (const input of layer.inputs) visit(input);
    open.delete(name);
    finished.push(name);
  };
  visit(output);
  const depths = new Map<string, number>();
  for (const name of finished.toReversed()) {
    const depth = depths.get(name) ?? 0;
    depths.set(name, depth);
    for (const input of byName.get(name)!.inputs)
      depths.set(input, Math.max(depths.get(input) ?? 0, depth + 1));
  }
  return [...met.keys()]
    .toSorted((a, b) => depths.get(b)! - depths.get(a)! || met.get(a)! - met.get(b)!)
    .map((name) => byName.get(name)!);
}

function readLayer(item: JsonValue): { readonly className: string; readonly config: JsonObject } {
  const className = isJsonObject(item) ? item.class_name : undefined;
  const config = isJsonObject(item) ? item.config : undefined;
  if (typeof className !== "string" || !isJsonObject(config))
    throw new Unsupported("a layer has no class_name or no config");
  return { className, config };
}

function nameOf(item: JsonValue): string {
  const name = isJsonObject(item) ? item.name : undefined;
  if (typeof name !== "string") throw new Unsupported("a layer has no name");
  return name;
}

// inbound_nodes: one entry per use of the layer, each a list of [layer, node index, tensor index, arguments].
function inboundOf(item: JsonValue): string[] {
  const name = nameOf(item);
  const nodes = isJsonObject(item) ? item.inbound_nodes : undefined;
  if (!Array.isArray(nodes)) throw new Unsupported(`layer ${JSON.stringify(name)} has no inbound_nodes`);
  if (nodes.length > 1)
    throw new Unsupported(`layer ${JSON.stringify(name)} is used ${nodes.length} times, expected once`);
  const [links] = nodes;
  if (links === undefined) return [];
  if (!Array.isArray(links))
    throw new Unsupported(`layer ${JSON.stringify(name)} has unreadable inbound_nodes`);
  return links.map((link) => linkOf(link, name));
}

function linkOf(link: JsonValue, name: string): string {
  const [from, node, tensor, args] = Array.isArray(link) ? link : [];
  const hasArguments = isJsonObject(args) && Object.keys(args).length > 0;
  if (typeof from !== "string" || node !== 0 || tensor !== 0 || hasArguments)
    throw new Unsupported(`layer ${JSON.stringify(name)} has unreadable inbound_nodes`);
  return from;
}

function endsOf(value: JsonValue | undefined, side: string): string[] {
  if (!Array.isArray(value)) throw new Unsupported(`the model has no ${side}_layers`);
  // Keras writes a single end without the outer list.
  const ends = typeof value[0] === "string" ? [value] : value;
  return ends.map((end) => linkOf(end, `${side}_layers`));
}
