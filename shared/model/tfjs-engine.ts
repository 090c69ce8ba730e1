// Starts tfjs on one of its backends. tfjs has one current backend per thread, so a thread has one engine.

import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import util from "node:util";
import { unreachable } from "../assert.js";
import { HeadwaterError, messageOf } from "../error.js";

/** The engines of tfjs, by backend. */
export type TfjsEngineName = "tfjs-wasm" | "tfjs-cpu" | "tfjs-node";

/** The tfjs library, loaded when an engine starts and not before: it costs 150 ms and 30 MB. */
export type Tfjs = typeof import("@tensorflow/tfjs");

/** tfjs, ready on the engine's backend. Rejects with HeadwaterError `engine-unavailable` and advice. */
export async function startEngine(engine: TfjsEngineName): Promise<Tfjs> {
  try {
    // The union package: without it, layers miss chained tensor methods that some initializers call.
    const tf = await import("@tensorflow/tfjs");
    // Turns off tfjs's checks of every step, and its greetings on the console.
    tf.enableProdMode();
    const backend = await registerBackend(engine);
    if (!(await keepingProcessListeners(() => tf.setBackend(backend))))
      throw new Error(`backend ${backend} did not start`);
    return tf;
  } catch (cause) {
    const message = `engine ${engine} cannot start: ${messageOf(cause)}; ${adviceFor(engine)}`;
    throw new HeadwaterError("engine-unavailable", message, { cause });
  }
}

async function registerBackend(engine: TfjsEngineName): Promise<string> {
  switch (engine) {
    case "tfjs-cpu":
      return "cpu";
    case "tfjs-wasm": {
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
      setWasmPaths(`${dirname(entry)}${sep}`);
      return "wasm";
    }
    case "tfjs-node":
      await importTfjsNode();
      return "tensorflow";
    default:
      return unreachable(engine);
  }
}

// Optional and often absent, so its name is a value: neither compiler nor bundler may insist on it.
async function importTfjsNode(): Promise<void> {
  const name: string = "@tensorflow/tfjs-node";
  // Node 23 removed what tfjs-node 4.22 still calls (tfjs issue 8609).
  if (!("isNullOrUndefined" in util))
    Reflect.set(util, "isNullOrUndefined", (value: unknown) => value === null || value === undefined);
  await import(name);
}

function adviceFor(engine: TfjsEngineName): string {
  return engine === "tfjs-node"
    ? "install @tensorflow/tfjs-node (it needs its native library) or use tfjs-wasm"
    : "reinstall the dependencies or try another engine";
}

// The wasm backend's loader takes over uncaught errors of the whole process; they are not its business.
async function keepingProcessListeners<T>(start: () => Promise<T>): Promise<T> {
  const events = ["uncaughtException", "unhandledRejection"];
  const before = events.map((event) => new Set(process.rawListeners(event)));
  const result = await start();
  events.forEach((event, at) => {
    for (const listener of process.rawListeners(event))
      if (!before[at]?.has(listener)) process.removeListener(event, listener as () => void);
  });
  return result;
}
