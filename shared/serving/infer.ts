// POST .../infer: tensors in, tensors out. Open Inference Protocol V2.

import type { ReadRequest } from "./body.js";
import { answered, failed, malformed, type Outcome } from "./problem.js";
import { type InferRequest, type InferResponse, ROWS_MAX } from "./schema.js";
import { type OutputTensor, outputTensors, type Scores, tensorValues } from "./scores.js";
import type { ServedModel } from "./served-model.js";
import { type FeatureTensor, readFeatures } from "./tensor.js";

/** The one input tensor: unscaled features in the order of the task's columns. */
export const INPUT_NAME = "features";

/** An answer: JSON, and the raw tensors that follow it, in its order. */
export interface InferAnswer {
  readonly json: InferResponse;
  readonly raw: readonly Uint8Array[];
}

/** The features of a request, its outputs known to be there. */
export function readInfer({ request, inputs }: ReadRequest, served: ServedModel): Outcome<FeatureTensor> {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1 || input.name !== INPUT_NAME) {
    const got = inputs.map(({ name }) => `"${name}"`).join(", ");
    return malformed(`${served.name} takes one input, "${INPUT_NAME}", and got ${got || "none"}`);
  }
  const problem = outputProblem(request, served);
  if (problem !== undefined) return malformed(problem);
  return readFeatures(input, { columns: served.columns.length, rowsMax: ROWS_MAX });
}

/** The answer to a request. A score that is not finite is a problem: JSON has no word for it. */
export function writeInfer(
  request: InferRequest,
  served: ServedModel,
  made: { readonly version: number; readonly rows: number; readonly scores: Scores },
): Outcome<InferAnswer> {
  const { version, rows, scores } = made;
  const raw: Uint8Array[] = [];
  const outputs: InferResponse["outputs"] = [];
  for (const tensor of wantedTensors(request, served, scores.anomaly !== undefined)) {
    const { name, datatype, width } = tensor;
    const values = tensorValues(scores, name);
    const bad = firstNotFinite(values);
    if (bad !== undefined) {
      const message = `output "${name}" of row ${Math.floor(bad / (width ?? 1))} is not finite`;
      return failed({ code: 500, reason: "not-finite", message });
    }
    const head = { name, shape: width === undefined ? [rows] : [rows, width], datatype };
    if (isBinary(request, name)) {
      const bytes = toBytes(values, datatype);
      raw.push(bytes);
      outputs.push({ ...head, parameters: { binary_data_size: bytes.length } });
    } else {
      const isBool = datatype === "BOOL";
      outputs.push({ ...head, data: Array.from(values, (value) => (isBool ? value === 1 : value)) });
    }
  }
  const id = request.id === undefined ? {} : { id: request.id };
  return answered({ json: { model_name: served.name, model_version: String(version), ...id, outputs }, raw });
}

function outputProblem({ outputs = [] }: InferRequest, { name, model, threshold }: ServedModel) {
  const known = outputTensors(model.definition, threshold !== undefined).map((tensor) => tensor.name);
  for (const { name: wanted, parameters = {} } of outputs) {
    if (!known.some((tensor) => tensor === wanted)) {
      return `${name} has no output "${wanted}"; it has ${known.join(", ")}`;
    }
    const extension = ["classification", "shared_memory_region"].find((key) => key in parameters);
    if (extension !== undefined) return `output "${wanted}": the ${extension} extension is not offered`;
  }
  return undefined;
}

/** Those asked for, in the order in which they were asked for. */
function wantedTensors(
  { outputs }: InferRequest,
  { model }: ServedModel,
  hasAnomaly: boolean,
): readonly OutputTensor[] {
  const all = outputTensors(model.definition, hasAnomaly);
  if (outputs === undefined || outputs.length === 0) return all;
  return outputs.flatMap(({ name }) => all.find((tensor) => tensor.name === name) ?? []);
}

/** `binary_data` of an output goes before `binary_data_output` of the request. */
function isBinary({ parameters, outputs }: InferRequest, name: string): boolean {
  const own = outputs?.find((output) => output.name === name)?.parameters?.binary_data;
  return (own ?? parameters?.binary_data_output ?? false) === true;
}

function firstNotFinite(values: ArrayLike<number>): number | undefined {
  for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return at;
  return undefined;
}

/** Little-endian, whatever this machine is. */
function toBytes(values: ArrayLike<number>, datatype: OutputTensor["datatype"]): Uint8Array {
  const size = { FP64: 8, FP32: 4, INT32: 4, BOOL: 1 }[datatype];
  const view = new DataView(new ArrayBuffer(values.length * size));
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (datatype === "FP64") view.setFloat64(at * size, value, true);
    else if (datatype === "FP32") view.setFloat32(at * size, value, true);
    else if (datatype === "INT32") view.setInt32(at * size, value, true);
    else view.setUint8(at, value);
  }
  return new Uint8Array(view.buffer);
}
