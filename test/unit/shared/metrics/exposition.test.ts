import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { counter, gauge, histogram } from "../../../../shared/metrics/definition.js";
import { Exposition } from "../../../../shared/metrics/exposition.js";
import { Histogram } from "../../../../shared/metrics/histogram.js";
import { deviceMetrics, serverMetrics } from "../../../../shared/metrics/table.js";

const table = {
  a_total: counter("All a.", { labels: ["kind"], seriesMax: 2 }),
  b_ratio: gauge("Line one\nand \\ two."),
  c_seconds: histogram("Time."),
};

test("a page is in the order of the table, and says nothing of what has no value", () => {
  const page = new Exposition(table);
  page.set("b_ratio", Number.NaN);
  page.set("a_total", 3, { kind: 'x"\\\n' });
  page.set("b_ratio", undefined);
  expect(page.text()).toBe(
    '# HELP a_total All a.\n# TYPE a_total counter\na_total{kind="x\\"\\\\\\n"} 3\n' +
      "# HELP b_ratio Line one\\nand \\\\ two.\n# TYPE b_ratio gauge\nb_ratio NaN\n",
  );
});

test("series beyond the bound are told together, and none is lost", () => {
  const page = new Exposition(table);
  for (const [kind, value] of [
    ["x", 1],
    ["y", 2],
    ["z", 3],
    ["w", 4],
  ] as const)
    page.set("a_total", value, { kind });
  const lines = page.text().split("\n").slice(2, -1);
  expect(lines).toEqual(['a_total{kind="x"} 1', 'a_total{kind="y"} 2', 'a_total{kind="__other__"} 7']);
});

test("a histogram's buckets only grow, and the last holds all", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e4, noNaN: true })), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.observe(value);
      const { bounds, cumulative, count } = histogram.snapshot();
      bounds.forEach((bound, at) => {
        expect(cumulative[at]).toBe(values.filter((value) => value <= bound).length);
      });
      expect(count).toBe(values.length);
    }),
  );
});

test("a label or a metric that is not in the table is a mistake of ours", () => {
  const page = new Exposition(table);
  expect(() => page.set("a_total", 1)).toThrow("a_total has the labels kind");
  expect(() => page.set("c_seconds", 1)).toThrow("c_seconds is a histogram");
});

describe.each([
  ["device", deviceMetrics],
  ["server", serverMetrics],
])("the %s's metrics", (_, metrics) => {
  test.each(Object.entries(metrics))("%s is named as Prometheus has it", (name, { kind, help, labels }) => {
    expect(name).toMatch(/^(?:headwater|process)_[a-z]+(?:_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(kind === "counter");
    if (kind === "histogram") expect(name).toMatch(/_seconds$/);
    expect(help).toMatch(/^[A-Z1].*\.$/);
    for (const label of labels) expect(name).not.toContain(`_by_${label}`);
  });
});
