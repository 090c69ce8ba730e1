// `node --import` this: engine tfjs-wasm then has the matrix products of tfjs itself, and not those we give it.

import { register } from "node:module";

const hooks = `
export function load(url, context, next) {
  if (!url.endsWith("/dist/shared/model/tfjs-matmul.js")) return next(url, context);
  return { format: "module", source: "export function speedUpWasmMatMul() {}", shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
