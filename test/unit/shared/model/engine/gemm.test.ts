import { expect, test } from "vitest";
import type { KernelMemory } from "../../../../../shared/model/engine/kernels.js";
import { READ_AHEAD_BYTES, RESERVED_BYTES } from "../../../../../shared/model/engine/kernels.js";
import { createTwinMemory } from "../../../../../shared/model/engine/twin/twin.js";
import { createWasmMemory } from "../../../../../shared/model/engine/wasm.js";

// Every loop that a product may end in: rows by four and fewer, columns by eight and each number that is left.
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 17, 20, 23, 36];
const COLUMNS = [...Array(27).keys()].map((at) => at + 1);
const LENGTHS = [1, 2, 3, 4, 5, 9];
/** What is left alone behind the result. */
const GUARD = 12_345.5;

interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly length: number;
  readonly segments: number;
  /** Where neighbours in memory are neighbours in A: along k, or along its rows. */
  readonly along: "k" | "rows";
  readonly addend: "none" | "bias" | "itself";
}

const wasm = createWasmMemory(1 << 20);
const twin = createTwinMemory(1 << 20);

test.each(["k", "rows"] as const)(
  "a product of any shape, A along its %s, is exact and stays inside",
  (along) => {
    for (const rows of ROWS)
      for (const columns of COLUMNS)
        for (const length of LENGTHS) check({ rows, columns, length, segments: 1, along, addend: "bias" });
  },
);

test.each(["none", "bias", "itself"] as const)(
  "sums of segments and of long products, added to %s",
  (addend) => {
    for (const along of ["k", "rows"] as const)
      for (const [rows, columns] of [
        [3, 5],
        [8, 8],
        [9, 13],
        [36, 3],
      ] as const)
        for (const [length, segments] of [
          [300, 1],
          [4, 3],
          [100, 5],
        ] as const)
          check({ rows, columns, length, segments, along, addend });
  },
);

test("A that is contiguous nowhere is not computed at all", () => {
  const strides = [1024, 24, 8, 0, 1024, 16, 0, 2048, 16, 0, 0] as const;
  expect(() => wasm.kernels.gemm(...strides, 4, 4, 3, 1)).toThrow("unreachable");
});

test("what the kernels keep in memory lies where nobody else writes", () => {
  const { buffer } = createWasmMemory(4096);
  expect(new Uint8Array(buffer, RESERVED_BYTES).every((byte) => byte === 0)).toBe(true);
});

// Both kinds of kernels give the same bits, the float64 sum within rounding, and touch nothing but the result.
function check(product: Product): void {
  const compiled = run(wasm, product);
  const plain = run(twin, product);
  const { rows, columns, length, segments } = product;
  const title = JSON.stringify(product);
  const count = rows * columns;
  expect(Buffer.from(compiled.c.buffer).equals(Buffer.from(plain.c.buffer)), title).toBe(true);
  expect(
    compiled.c.subarray(count).every((value) => value === GUARD),
    title,
  ).toBe(true);
  // Each rounding is at most half a unit in the last place of a partial sum, which `sizes` bounds.
  const steps = 2 * length * segments + 4;
  for (let at = 0; at < count; at++) {
    const limit = steps * 2 ** -24 * compiled.sizes[at]!;
    expect(Math.abs(compiled.c[at]! - compiled.exact[at]!), title).toBeLessThanOrEqual(limit);
  }
}

function run({ kernels, buffer }: KernelMemory, product: Product) {
  const { rows, columns, length, segments, along, addend } = product;
  const floats = new Float32Array(buffer);
  const value = (seed: number) => Math.fround(Math.sin(seed * 12.9898) * 2);
  const a = RESERVED_BYTES;
  const b = a + rows * length * segments * 4;
  const bias = b + length * segments * columns * 4;
  const c = bias + columns * 4;
  const end = c + rows * columns * 4 + READ_AHEAD_BYTES;
  floats.fill(Number.NaN, a / 4, end / 4);
  for (let at = a / 4; at < c / 4; at++) floats[at] = value(at);
  floats.fill(GUARD, c / 4, end / 4);
  for (let at = 0; at < rows * columns; at++) floats[c / 4 + at] = value(at + 0.5);
  const block = rows * length;
  const [aRow, aStep] = along === "k" ? [length, 1] : [1, rows];
  const start = { none: 0, bias, itself: c }[addend];
  const addRow = addend === "itself" ? columns * 4 : 0;
  const exact = new Float64Array(rows * columns);
  const sizes = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = start === 0 ? 0 : floats[(start + i * addRow) / 4 + j]!;
      let size = Math.abs(sum);
      for (let s = 0; s < segments; s++)
        for (let k = 0; k < length; k++) {
          const left = floats[a / 4 + s * block + i * aRow + k * aStep]!;
          const term = left * floats[b / 4 + (s * length + k) * columns + j]!;
          sum += term;
          size += Math.abs(term);
        }
      exact[i * columns + j] = sum;
      sizes[i * columns + j] = size;
    }
  const [bStep, bSegment] = [columns * 4, length * columns * 4];
  const shape = [rows, columns, length, segments] as const;
  kernels.gemm(
    ...([a, aRow * 4, aStep * 4, block * 4, b, bStep, bSegment] as const),
    ...([c, columns * 4, start, addRow] as const),
    ...shape,
  );
  return { c: floats.slice(c / 4, end / 4), exact, sizes };
}
