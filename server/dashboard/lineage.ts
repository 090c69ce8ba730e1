// Which version came from which.

import type { ModelView } from "../http/schema.js";

/** A version and how many forks lie between it and the oldest of its line. */
export interface LineageRow {
  readonly model: ModelView;
  readonly depth: number;
  /** Another version was made from the same parent, so this one stands on a branch. */
  readonly isBranch: boolean;
}

/** Children above their parents, as in a log: the newest comes first. A version whose parent is not kept begins a line. */
export function lineage(models: readonly ModelView[]): readonly LineageRow[] {
  const kept = new Set(models.map(({ version }) => version));
  const children = new Map<number, ModelView[]>();
  for (const model of models.toSorted((a, b) => a.version - b.version)) {
    const parent = kept.has(model.parent) ? model.parent : 0;
    children.set(parent, [...(children.get(parent) ?? []), model]);
  }
  const rows: LineageRow[] = [];
  const pending = (children.get(0) ?? []).map((model) => ({ model, depth: 0, isBranch: false }));
  // A stack and not recursion: a line may be long.
  for (let row = pending.pop(); row !== undefined; row = pending.pop()) {
    rows.push(row);
    const below = children.get(row.model.version) ?? [];
    const isFork = below.length > 1;
    // An only child continues the line; a fork is what stands deeper.
    const depth = row.depth + (isFork ? 1 : 0);
    for (const model of below) pending.push({ model, depth, isBranch: isFork });
  }
  return rows.reverse();
}
