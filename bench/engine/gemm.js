// Products by shape: all that the models compute, and every kind of tail, against the best full tile of the same run; and the
// same loops in C where there is a compiler.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createWasmMemory } from "../../dist/shared/model/engine/wasm.js";

/**
 * rows x columns x length, and "t" where A lies transposed, as for the gradient of a kernel. The first two are whole tiles
 * only.
 */
const SHAPES = [
  // Forward and back to the input, of the models.
  ...["32x64x32", "256x256x256", "32x32x64", "32x6x32", "32x32x6", "32x86x115", "32x38x86", "32x115x86"],
  ...["124x16x45", "60x32x80", "62x16x160", "32x96x32", "960x96x14", "10x200x784", "10x10x200"],
  // Gradients of kernels.
  ...["64x32x32t", "32x6x32t", "86x115x32t", "115x86x32t", "80x32x58t", "45x16x124t", "784x200x10t"],
  // Rows that are left, columns that are left, and one row.
  ...["33x64x64", "34x64x64", "35x64x64"],
  ...["64x65x64", "64x66x64", "64x67x64", "64x68x64", "64x69x64", "64x70x64", "64x71x64"],
  ...["64x65x64t", "64x66x64t", "64x67x64t", "64x68x64t", "64x69x64t", "64x70x64t", "64x71x64t"],
  "1x64x32",
];
const BURSTS = 15;
const BURST_MS = 15;

export function measureGemm() {
  const speeds = SHAPES.map(() => 0);
  const runs = SHAPES.map(product);
  for (const { run } of runs) rate(run, 100);
  for (let burst = 0; burst < BURSTS; burst++)
    runs.forEach(({ run, flops }, at) => {
      speeds[at] = Math.max(speeds[at], 1e-9 * flops * rate(run, BURST_MS));
    });
  const best = Math.max(speeds[0], speeds[1]);
  const native = nativeSpeeds();
  return SHAPES.map((shape, at) => {
    const gflops = speeds[at];
    return { shape, gflops, ofBest: gflops / best, native: native?.[at] ?? null };
  });
}

function product(shape) {
  const [rows, columns, length] = shape.split("x").map((size) => Number.parseInt(size, 10));
  const [a, b] = [4096, 4096 + rows * length * 4];
  const c = b + length * columns * 4;
  const { kernels, buffer } = createWasmMemory(c + rows * columns * 4 + 4096);
  new Float32Array(buffer, a).fill(0.5);
  const [aRow, aStep] = shape.endsWith("t") ? [4, rows * 4] : [length * 4, 4];
  const step = columns * 4;
  const run = () => kernels.gemm(a, aRow, aStep, 0, b, step, 0, c, step, 0, 0, rows, columns, length, 1);
  return { run, flops: 2 * rows * columns * length };
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
    const { stdout, status } = spawnSync(program, SHAPES, { encoding: "utf8" });
    return status === 0 ? stdout.trim().split("\n").map(Number) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
