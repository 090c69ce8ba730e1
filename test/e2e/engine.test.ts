import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

// tfjs is CommonJS: it is in this cache also when `import` loaded it.
const program = (activation: string) => `
import { createRequire } from "node:module";
import { createRuntime, defineModel } from "headwater";
const layer = { class_name: "Dense", config: { name: "out", units: 1, activation: "${activation}", batch_input_shape: [null, 3] } };
const topology = { class_name: "Sequential", config: { name: "given", layers: [layer] } };
const output = { kind: "regression", loss: "meanSquaredError" };
const runtime = await createRuntime("auto");
const model = await runtime.model(defineModel({ kind: "layers", topology, output }, 3));
model.load(new Float32Array(4).fill(0.5));
model.compile({ optimizer: { kind: "adam", learningRate: 0.01 } });
await model.step(new Float32Array(6).fill(1), new Float32Array(2), 2);
model.predict(new Float32Array(3), 1);
const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("@tensorflow"));
process.stdout.write(JSON.stringify([model.engine, loaded, runtime.liveTensors() > 0]));
`;

test.each([
  ["tanh", ["fused-wasm", false, false]],
  ["swish", ["tfjs-wasm", true, true]],
])(
  "a model with %s trains on the engine that covers it; tfjs is loaded for the other only",
  (activation, expected) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", program(activation)],
      { cwd: root, encoding: "utf8" },
    );
    expect(JSON.parse(stdout || "null"), stderr).toEqual(expected);
  },
);

test("without WebAssembly the same bits come from plain JavaScript", () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--jitless", "--input-type=module", "--eval", program("tanh")],
    { cwd: root, encoding: "utf8" },
  );
  expect(JSON.parse(stdout || "null"), stderr).toEqual(["fused-js", false, false]);
});
