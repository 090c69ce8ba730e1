// Which version came from which.

import type { ModelView } from "../http/schema.js";

/** A version and how many forks lie between it and the line it left. */
export interface LineageRow {
  readonly model: ModelView;
  readonly depth: number;
  /** A newer line was made from the same parent, so this one stands on a branch. */
  readonly isBranch: boolean;
}

/**
 * Children above their parents, as in a log, and the line with the newest version above all. A version whose parent is not
 * kept begins a line.
 */
export function lineage(models: readonly ModelView[]): readonly LineageRow[] {
  const kept = new Set(models.map(({ version }) => version));
  const children = new Map<number, ModelView[]>();
  const newest = new Map<number, number>();
  // A child is newer than its parent: from the newest on, each knows its descendants.
  for (const model of models.toSorted((a, b) => b.version - a.version)) {
    const { version } = model;
    const parent = kept.has(model.parent) ? model.parent : 0;
    children.set(parent, [...(children.get(parent) ?? []), model]);
    newest.set(parent, Math.max(newest.get(parent) ?? 0, newest.get(version) ?? version));
  }
  const newestOf = ({ version }: ModelView) => newest.get(version) ?? version;
  const below = (version: number) =>
    (children.get(version) ?? []).toSorted((a, b) => newestOf(b) - newestOf(a));
  const rows: LineageRow[] = [];
  const pending: LineageRow[] = below(0).map((model) => ({ model, depth: 0, isBranch: false }));
  // A stack and not recursion: a line may be long.
  for (let row = pending.pop(); row !== undefined; row = pending.pop()) {
    rows.push(row);
    const { depth } = row;
    // The first of them continues the line; the others stand deeper.
    for (const [at, model] of below(row.model.version).entries()) {
      pending.push({ model, depth: depth + (at === 0 ? 0 : 1), isBranch: at > 0 });
    }
  }
  return rows.reverse();
}
