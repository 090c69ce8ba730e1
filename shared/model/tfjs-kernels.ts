// Kernels that the wasm backend of tfjs 4.22 lacks (gradients of convolutions, tfjs issue 8474; of embeddings, 8082),
// computed by those of its cpu backend: slow, but then every layer trains.

import type { KernelBackend, KernelConfig, TensorInfo, TypedArray } from "@tensorflow/tfjs";
import type { Tfjs } from "./tfjs-engine.js";

/** Registers what is missing; doing so again changes nothing. */
export function addMissingWasmKernels(tf: Tfjs): void {
  const there = new Set(tf.getKernelsForBackend("wasm").map(({ kernelName }) => kernelName));
  for (const kernel of tf.getKernelsForBackend("cpu"))
    if (!there.has(kernel.kernelName) && !OTHER_DATA.test(kernel.kernelName))
      tf.registerKernel(onCpu(tf, kernel));
}

/** Complex numbers and strings, which the wasm backend does not hold. */
const OTHER_DATA = /Complex|FFT|Imag|Real|Ragged|String|Regex|Draw/;

type KernelArgs = Parameters<KernelConfig["kernelFunc"]>[0];

interface WasmBackend extends KernelBackend {
  makeOutput(shape: number[], dtype: string, offset: undefined, values: TypedArray): TensorInfo;
}

function onCpu(tf: Tfjs, kernel: KernelConfig): KernelConfig {
  const kernelFunc = ({ inputs, attrs, backend }: KernelArgs): TensorInfo | TensorInfo[] => {
    const wasm = backend as WasmBackend;
    const cpu = tf.engine().findBackend("cpu");
    const held: TensorInfo[] = [];
    const hold = (tensor: TensorInfo): TensorInfo => {
      held.push(tensor);
      return tensor;
    };
    const moved = Object.entries(inputs).map(([name, tensor]) => {
      if (tensor === undefined) return [name, tensor] as const;
      const { shape, dtype, dataId } = tensor;
      const values = wasm.readSync(dataId).slice();
      return [name, hold({ shape, dtype, dataId: cpu.write(values, shape, dtype) })] as const;
    });
    const result = kernel.kernelFunc({
      inputs: Object.fromEntries(moved),
      ...(attrs && { attrs }),
      backend: cpu,
    });
    const outputs = Array.isArray(result) ? result : [result];
    const back = outputs.map(({ shape, dtype, dataId }) =>
      wasm.makeOutput(shape, dtype, undefined, cpu.readSync(dataId) as TypedArray),
    );
    for (const { dataId } of new Set([...held, ...outputs])) cpu.disposeData(dataId);
    return Array.isArray(result) ? back : back[0]!;
  };
  return { kernelName: kernel.kernelName, backendName: "wasm", kernelFunc };
}
