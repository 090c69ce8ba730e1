// The kernels as WebAssembly: one compiled module per thread, one instance and memory per program.

import { HeadwaterError, messageOf } from "../../error.js";
import type { KernelMemory, Kernels } from "./kernels.js";
import { kernelsWasm } from "./kernels-wasm.js";

const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. */
const MAX_BYTES = 2 ** 32;

/** True where WebAssembly with SIMD is there: not under `node --jitless`. */
export function hasWasm(): boolean {
  return typeof WebAssembly === "object" && compiled() !== undefined;
}

/** Kernels over a new memory. Throws HeadwaterError `out-of-memory`, or `engine-unavailable`. */
export function createWasmMemory(bytes: number): KernelMemory {
  const module = compiled();
  if (module === undefined)
    throw new HeadwaterError(
      "engine-unavailable",
      "engine fused-wasm needs WebAssembly with SIMD; use fused-js",
    );
  const memory = allocate(bytes);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  // By the interface: index.ts of the kernels exports exactly these, which a test checks.
  return { kernels: instance.exports as unknown as Kernels, buffer: memory.buffer };
}

// Compiled once per thread, at the first use.
const cache: { module?: WebAssembly.Module | undefined } = {};

function compiled(): WebAssembly.Module | undefined {
  if (!("module" in cache)) cache.module = compile();
  return cache.module;
}

function compile(): WebAssembly.Module | undefined {
  if (typeof WebAssembly !== "object") return undefined;
  try {
    return new WebAssembly.Module(Buffer.from(kernelsWasm, "base64"));
  } catch (error) {
    // Without SIMD the module does not validate: that is an engine that is absent. What else could be wrong is said
    // by whoever asks for this engine by name.
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const failed = (why: string, cause?: unknown) =>
    new HeadwaterError("out-of-memory", `cannot have ${bytes} bytes for a model and its batch: ${why}`, {
      cause,
    });
  if (bytes > MAX_BYTES) throw failed(`the limit is ${MAX_BYTES}; use smaller batches`);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw failed(messageOf(cause), cause);
  }
}
