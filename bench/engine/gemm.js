// Products by shape: all that the models compute, and every kind of tail, against the best full tile of the same run; and the
// same loops in C where there is a compiler.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createWasmMemory } from "../../dist/shared/model/engine/wasm.js";

/** rows x columns x length; the first two are whole tiles only. */
const SHAPES = [
  [32, 64, 32],
  [256, 256, 256],
  [32, 32, 64],
  [32, 6, 32],
  [32, 86, 115],
  [32, 38, 86],
  [32, 115, 86],
  [10, 200, 784],
  [784, 200, 10],
  [10, 10, 200],
  [1, 64, 32],
  [33, 65, 64],
  [34, 66, 64],
  [35, 67, 64],
  [124, 16, 45],
  [60, 32, 80],
  [32, 96, 32],
  [960, 96, 14],
];
const BURSTS = 5;
const BURST_MS = 40;

export function measureGemm() {
  const speeds = new Map(SHAPES.map((shape) => [shape, 0]));
  const runs = SHAPES.map((shape) => [shape, product(...shape)]);
  for (const [, run] of runs) rate(run, 100);
  for (let burst = 0; burst < BURSTS; burst++)
    for (const [shape, run] of runs) {
      const [rows, columns, length] = shape;
      speeds.set(shape, Math.max(speeds.get(shape), 2e-9 * rows * columns * length * rate(run, BURST_MS)));
    }
  const best = Math.max(speeds.get(SHAPES[0]), speeds.get(SHAPES[1]));
  const native = nativeSpeeds();
  return SHAPES.map((shape, at) => {
    const gflops = speeds.get(shape);
    return { shape: shape.join("x"), gflops, ofBest: gflops / best, native: native?.[at] ?? null };
  });
}

function product(rows, columns, length) {
  const [a, b] = [1024, 1024 + rows * length * 4];
  const c = b + length * columns * 4;
  const { kernels, buffer } = createWasmMemory(c + rows * columns * 4 + 4096);
  new Float32Array(buffer, 1024).fill(0.5);
  return () =>
    kernels.gemm(a, length * 4, 4, 0, b, columns * 4, 0, c, columns * 4, 0, 0, rows, columns, length, 1);
}

// Runs a second.
function rate(run, ms) {
  const started = performance.now();
  let runs = 0;
  let spent = 0;
  for (; spent < ms; spent = performance.now() - started, runs += 50) for (let at = 0; at < 50; at++) run();
  return (1000 * runs) / spent;
}

function nativeSpeeds() {
  const folder = mkdtempSync(join(tmpdir(), "headwater-gemm-"));
  try {
    const program = join(folder, "gemm");
    const source = fileURLToPath(new URL("gemm.c", import.meta.url));
    if (spawnSync("cc", ["-O3", "-ffp-contract=off", "-o", program, source]).status !== 0) return undefined;
    const { stdout, status } = spawnSync(
      program,
      SHAPES.map((shape) => shape.join("x")),
      { encoding: "utf8" },
    );
    return status === 0 ? stdout.trim().split("\n").map(Number) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
