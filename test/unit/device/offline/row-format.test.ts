import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRowFormat } from "../../../../device/offline/row-format.js";

const plain = { columns: ["a", "b"], isExamples: false, isRevised: false };
const row = { entity: "x", timeMs: Date.UTC(2026, 0, 1), features: Float32Array.of(0.1, 3), test: false };

describe("csv", () => {
  test("has time and entity first, then the columns", () => {
    const format = createRowFormat("csv", plain);
    expect(format.header + format.line(row)).toBe("time,entity,a,b\n2026-01-01T00:00:00.000Z,x,0.1,3\n");
  });

  test("has label and side of an example at its end", () => {
    const format = createRowFormat("csv", { ...plain, isExamples: true });
    const example = { ...row, label: 2.5, persistence: null, split: "test" } as const;
    expect(format.header + format.line(example)).toBe(
      "time,entity,a,b,label,split\n2026-01-01T00:00:00.000Z,x,0.1,3,2.5,test\n",
    );
  });

  test("says which revision a row is where late readings may change it", () => {
    const format = createRowFormat("csv", { ...plain, isRevised: true });
    expect(format.line(row)).toMatch(/,3,0\n$/);
    expect(format.line({ ...row, revision: 2 })).toMatch(/,3,2\n$/);
  });

  test("quotes an entity that holds what separates", () => {
    expect(createRowFormat("csv", plain).line({ ...row, entity: 'a,"b"' })).toContain(',"a,""b""",');
  });

  test("writes numbers that read back as the same float32", () => {
    const format = createRowFormat("csv", { ...plain, columns: ["a"] });
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = format
          .line({ ...row, features: Float32Array.of(value) })
          .trim()
          .split(",")[2];
        expect(Math.fround(Number(text)) === value).toBe(true);
        expect(text?.replace(/e.*|[-.]/g, "").replace(/^0+/, "").length).toBeLessThanOrEqual(
          Number.isInteger(value) ? 40 : 9,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

test("jsonl names every feature", () => {
  const format = createRowFormat("jsonl", plain);
  expect(format.header).toBe("");
  expect(JSON.parse(format.line(row))).toEqual({
    time: "2026-01-01T00:00:00.000Z",
    entity: "x",
    features: { a: 0.1, b: 3 },
  });
});
