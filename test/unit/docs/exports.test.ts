import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { deviceMetrics, serverMetrics } from "../../../shared/metrics/table.js";

const text = readFileSync(new URL("../../../docs/exports.md", import.meta.url), "utf8");
const [, device = "", server = ""] = text.split(/### A (?:device|server)'s metrics|\n## TensorBoard/);

test.each([
  ["device", device, deviceMetrics],
  ["server", server, serverMetrics],
])("docs/exports.md has the %s's metrics, all and no others, as they are", (_, part, metrics) => {
  const rows = part.split("\n").filter((line) => line.startsWith("| `"));
  const expected = Object.entries(metrics).map(
    ([name, { kind, labels, help }]) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  expect(rows).toEqual(expected);
});
