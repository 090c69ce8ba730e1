// Versions as a table.

import Table from "cli-table3";
import type { ModelView } from "../server/http/schema.js";
import { formatBytes } from "../shared/task/units.js";

/** Metrics in a table. */
const METRICS_MAX = 3;

/** One line per version. */
export function describeModels(models: readonly ModelView[]): string {
  if (models.length === 0) return "no version yet\n";
  const table = new Table({
    head: ["version", "parent", "lines", "made", "size", "scores"],
    style: { head: [], border: [] },
  });
  for (const { version, parent, createdMs, bytes, evaluation, ...lines } of models) {
    const scores = Object.entries(evaluation?.metrics ?? {}).slice(0, METRICS_MAX);
    table.push([
      ...[version, parent === 0 ? "-" : parent, namesOf(lines).join(", ")],
      ...[new Date(createdMs).toISOString(), formatBytes(bytes)],
      scores.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", "),
    ]);
  }
  return `${table.toString()}\n`;
}

function namesOf({
  isHead,
  isStable,
  trial,
  aliases,
}: Pick<ModelView, "isHead" | "isStable" | "trial" | "aliases">): string[] {
  const lines = [isHead ? "head" : [], isStable ? "stable" : [], trial ?? []].flat();
  return [...lines, ...aliases];
}
