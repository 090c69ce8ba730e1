// Writes the innermost loops of shared/model/engine/assembly/gemm.ts. They differ in their number of sums alone, but
// AssemblyScript has no macros and sums in an array would not stay in registers, so they are written out, here.
//
// What keeps a loop fast, as measured on V8 (bench/engine/gemm.js):
// - Sums, operands read and copies of one operand in all lanes together fit 15 registers: V8 reads all operands of a
//   basic block before it computes. So loops are not unrolled.
// - The first product starts a sum: adding it to zero costs short products up to a sixth.
// - Where there are as many results, at least six independent sums: two adders with three steps each have so many under way.

/** Every strip: all rows of some columns, so many rows at a time. Parameters as of `gemm`. */
export function tiles() {
  return [
    'import { mulAdd, storePart } from "./lane";',
    // Lanes are columns. A is contiguous along k, or along its rows; rows that are left take either.
    strip("stripAlongK", { rows: 4, vectors: 2, a: "k" }),
    strip("stripAlongRows", { rows: 4, vectors: 2, a: "rows" }),
    strip("strip3x8", { rows: 3, vectors: 2, a: "any" }),
    ...[1, 2, 3, 4].map((vectors) => strip(`strip2x${4 * vectors}`, { rows: 2, vectors, a: "any" })),
    ...[1, 2, 4, 6].map((vectors) => strip(`strip1x${4 * vectors}`, { rows: 1, vectors, a: "any" })),
    // Lanes are rows, for columns that would not fill a vector.
    ...[
      [16, 1],
      [16, 2],
      [8, 3],
      [8, 4],
      [4, 1],
      [4, 2],
      [4, 3],
      [4, 4],
    ].map(([rows, columns]) => narrow(`narrow${rows}x${columns}`, { rows, columns, isTurned: false })),
    narrow("turned4x1", { rows: 4, columns: 1, isTurned: true }),
    narrow("turned4x2", { rows: 4, columns: 2, isTurned: true }),
    ...[1, 2, 3, 4, 6].map(put),
  ].join("\n");
}

// `rows` rows of `vectors` vectors of columns at a time; the last vectors may be in part behind the `width` wanted.
function strip(name, { rows, vectors, a }) {
  const sums = (row) => times(vectors, (v) => `c${row}${v}`);
  const pointer = (row) => (row === 0 ? "at" : a === "rows" ? `at, ${4 * row}` : `at + row${row}`);
  const products = (isFirst) => [
    `const ${times(vectors, (v) => `b${v} = v128.load(bt, ${16 * v})`).join(", ")};`,
    "let x: v128;",
    ...times(rows, (row) => [
      `x = v128.load32_splat(${pointer(row)});`,
      ...sums(row).map(
        (sum, v) => `${sum} = ${isFirst ? `f32x4.mul(x, b${v})` : `mulAdd(${sum}, x, b${v})`};`,
      ),
    ]).flat(),
    `at += ${a === "k" ? 4 : "aStep"}; bt += bStep;`,
  ];
  return loop(name, {
    rows,
    constants:
      a === "rows" ? [] : times(rows - 1, (row) => `const row${row + 1} = <usize>${row + 1} * aRow;`),
    sums: times(rows, sums).flat(),
    first: products(true),
    inner: ["for (; k > 0; k--) {", ...products(false), "}"],
    ending: times(rows, (row) => [
      `put${vectors}(c, add, width, ${sums(row).join(", ")});`,
      "c += cRow; add += addRow;",
    ]).flat(),
  });
}

// Few columns of `rows` rows at a time. Where A is contiguous along k, 4 x 4 of it are turned around in registers.
function narrow(name, { rows, columns, isTurned }) {
  const vectors = rows / 4;
  const sums = (column) => times(vectors, (v) => `c${v}${column}`);
  const products = (isFirst, load) => [
    ...times(vectors, (v) => `const p${v} = ${load(v)};`),
    "let x: v128;",
    ...times(columns, (column) => [
      `x = v128.load32_splat(bt, ${4 * column});`,
      ...sums(column).map(
        (sum, v) => `${sum} = ${isFirst ? `f32x4.mul(p${v}, x)` : `mulAdd(${sum}, p${v}, x)`};`,
      ),
    ]).flat(),
    `at += ${isTurned ? 4 : "aStep"}; bt += bStep;`,
  ];
  const gathered = () =>
    `f32x4(${times(4, (row) => `load<f32>(at${row === 0 ? "" : ` + row${row}`})`).join(", ")})`;
  const loaded = (v) => `v128.load(at, ${16 * v})`;
  const load = isTurned ? gathered : loaded;
  const four = [
    "for (; k >= 4; k -= 4) {",
    `const ${times(4, (row) => `q${row} = v128.load(at${row === 0 ? "" : ` + row${row}`})`).join(", ")};`,
    "const t0 = v128.shuffle<f32>(q0, q1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(q0, q1, 2, 6, 3, 7);",
    "const t2 = v128.shuffle<f32>(q2, q3, 0, 4, 1, 5), t3 = v128.shuffle<f32>(q2, q3, 2, 6, 3, 7);",
    ...["t0, t2, 0, 2", "t0, t2, 1, 3", "t1, t3, 0, 2", "t1, t3, 1, 3"].flatMap((picked) => [
      "{",
      ...products(false, () => `v128.shuffle<i64>(${picked})`),
      "}",
    ]),
    "}",
  ];
  return loop(name, {
    rows,
    constants: isTurned ? times(3, (row) => `const row${row + 1} = <usize>${row + 1} * aRow;`) : [],
    sums: times(columns, sums).flat(),
    first: products(true, load),
    inner: [...(isTurned ? four : []), "for (; k > 0; k--) {", ...products(false, load), "}"],
    ending: times(vectors, (v) => [
      ...turned(
        times(4, (column) => `c${v}${Math.min(column, columns - 1)}`),
        `v${v}`,
      ),
      ...times(4, (row) => [`put1(c, add, ${columns}, v${v}${row});`, "c += cRow; add += addRow;"]).flat(),
    ]).flat(),
  });
}

// Four vectors of one column each become four of one row each.
function turned([q0, q1, q2, q3], name) {
  return [
    `const ${name}a = v128.shuffle<f32>(${q0}, ${q1}, 0, 4, 1, 5), ${name}b = v128.shuffle<f32>(${q0}, ${q1}, 2, 6, 3, 7);`,
    `const ${name}c = v128.shuffle<f32>(${q2}, ${q3}, 0, 4, 1, 5), ${name}d = v128.shuffle<f32>(${q2}, ${q3}, 2, 6, 3, 7);`,
    `const ${name}0 = v128.shuffle<i64>(${name}a, ${name}c, 0, 2), ${name}1 = v128.shuffle<i64>(${name}a, ${name}c, 1, 3);`,
    `const ${name}2 = v128.shuffle<i64>(${name}b, ${name}d, 0, 2), ${name}3 = v128.shuffle<i64>(${name}b, ${name}d, 1, 3);`,
  ];
}

// The frame of every strip: down the rows, through the segments, along k.
function loop(name, { rows, constants, sums, first, inner, ending }) {
  return `
export function ${name}(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, width: usize, length: usize, segments: usize,
): void {
  ${constants.join(" ")}
  for (; rows >= ${rows}; rows -= ${rows}) {
    let ${sums.map((sum) => `${sum}: v128`).join(", ")};
    let from = a, bFrom = b, at = a, bt = b;
    { ${first.join(" ")} }
    let k = length - 1;
    for (let left = segments; ; k = length) {
      ${inner.join(" ")}
      left--;
      if (left == 0) break;
      from += aSegment; bFrom += bSegment;
      at = from; bt = bFrom;
    }
    ${ending.join(" ")}
    a += ${rows} * aRow;
  }
}`;
}

// One row of a tile, added to its addend; only `width` floats of it are written.
function put(vectors) {
  const values = times(vectors, (v) => `v${v}`);
  const sum = (v) => `f32x4.add(v128.load(add, ${16 * v}), v${v})`;
  return `
// @ts-ignore: decorator
@inline
function put${vectors}(c: usize, add: usize, width: usize, ${values.map((v) => `${v}: v128`).join(", ")}): void {
  ${
    vectors === 1
      ? "storePart(c, f32x4.add(v128.load(add), v0), width);"
      : `if (width == ${4 * vectors}) {
    ${values.map((_, v) => `v128.store(c, ${sum(v)}, ${16 * v});`).join(" ")}
    return;
  }
  ${values.map((_, v) => `${v === 0 ? "" : `if (width > ${4 * v}) `}storePart(c + ${16 * v}, ${sum(v)}, width - ${4 * v});`).join("\n  ")}`
  }
}`;
}

function times(count, make) {
  return Array.from({ length: count }, (_, at) => make(at));
}
