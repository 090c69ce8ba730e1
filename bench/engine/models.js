// The models of the engine bench, as tfjs topologies, with the batch and optimizer each is trained with.

const dense = (name, units, activation, more = {}) => ({
  class_name: "Dense",
  config: { name, units, activation, use_bias: true, ...more },
});
const input = (shape) => ({
  class_name: "InputLayer",
  config: { name: "rows", batch_input_shape: [null, ...shape], dtype: "float32", sparse: false },
});
const layer = (className, name, config = {}) => ({ class_name: className, config: { name, ...config } });

function model(shape, outputs, kind, { batch, optimizer }, layers) {
  const topology = { class_name: "Sequential", config: { name: "bench", layers: [input(shape), ...layers] } };
  const output =
    kind === "classes"
      ? { kind: "classification", classes: outputs }
      : { kind: "regression", loss: "meanSquaredError" };
  const inputs = shape.reduce((product, length) => product * length, 1);
  return {
    definition: { topology, inputs, outputs, output, topologyHash: JSON.stringify(topology) },
    batch,
    optimizer,
  };
}

const sgd = { kind: "sgd", learningRate: 0.01 };
const adam = { kind: "adam", learningRate: 0.001 };

export const models = {
  mlp: model([32], 6, "classes", { batch: 32, optimizer: sgd }, [
    dense("a", 64, "relu"),
    dense("b", 32, "relu"),
    dense("out", 6, "softmax"),
  ]),
  autoencoder: model([115], 115, "values", { batch: 32, optimizer: adam }, [
    dense("a", 86, "tanh"),
    dense("b", 38, "tanh"),
    dense("c", 86, "tanh"),
    dense("out", 115, "linear"),
  ]),
  gru: model([30, 14], 1, "values", { batch: 32, optimizer: adam }, [
    // With the gates that are the default of tfjs.
    layer("GRU", "cell", { units: 32, reset_after: false, recurrent_activation: "hard_sigmoid" }),
    dense("out", 1, "linear"),
  ]),
  conv1d: model([128, 9], 6, "classes", { batch: 32, optimizer: adam }, [
    layer("Conv1D", "a", { filters: 16, kernel_size: [5], activation: "relu" }),
    layer("MaxPooling1D", "pool", { pool_size: [2], strides: [2] }),
    layer("Conv1D", "b", { filters: 32, kernel_size: [5], activation: "relu" }),
    layer("GlobalAveragePooling1D", "mean"),
    dense("out", 6, "softmax"),
  ]),
  cnn: model([28, 28, 1], 10, "classes", { batch: 32, optimizer: sgd }, [
    layer("Conv2D", "a", { filters: 16, kernel_size: [3, 3], activation: "relu" }),
    layer("MaxPooling2D", "p", { pool_size: [2, 2], strides: [2, 2] }),
    layer("Conv2D", "b", { filters: 32, kernel_size: [3, 3], activation: "relu" }),
    layer("MaxPooling2D", "q", { pool_size: [2, 2], strides: [2, 2] }),
    layer("Flatten", "flat"),
    dense("c", 64, "relu"),
    dense("out", 10, "softmax"),
  ]),
  mnist2nn: model([784], 10, "classes", { batch: 10, optimizer: sgd }, [
    dense("a", 200, "relu"),
    dense("b", 200, "relu"),
    dense("out", 10, "softmax"),
  ]),
};

/** Params of about the size that initializers give, without chance. */
export function drawParams({ entries, count }) {
  const params = new Float32Array(count);
  for (const { name, offset, size, shape } of entries) {
    if (name.endsWith("bias")) continue;
    const spread = Math.sqrt((2 * shape.at(-1)) / size);
    for (let at = 0; at < size; at++)
      params[offset + at] = spread * Math.sin(1 + 12.9898 * (at + 1) + offset);
  }
  return params;
}

/** A batch: inputs like standardised readings, and labels that fit the output. */
export function makeBatch({ definition: { inputs, outputs, output }, batch }) {
  const x = Float32Array.from({ length: batch * inputs }, (_, at) => Math.sin(at * 1.7) * 1.4);
  const y = new Float32Array(batch * outputs);
  for (let row = 0; row < batch; row++) {
    if (output.kind === "classification") y[row * outputs + (row % outputs)] = 1;
    else for (let at = 0; at < outputs; at++) y[row * outputs + at] = Math.cos(row + at);
  }
  return { x, y };
}
