// Where one entity's rows of a source enter its chain: in rising event time, each once, checked.

import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { type GuardOutcome, SourceGuard } from "./guard.js";
import type { LayoutNode, SourceLayout } from "./layout.js";
import type { Saved, Stateful } from "./state.js";
import type { PipelineRow } from "./types.js";

/** One entity's way in from one source. */
export class SourceEntry implements Stateful {
  readonly name: string;
  readonly #guard: SourceGuard | undefined;
  readonly #takesTies: boolean;
  #newestMs = Number.NEGATIVE_INFINITY;

  /** `number` is that of the source's node. */
  constructor(task: Task, nodes: readonly LayoutNode[], number: number, counters: Counters) {
    const { name, fields } = sourceAt(nodes, number);
    const spec = task.sources[name]!;
    this.name = name;
    const isGuarded = Object.keys(spec.checks).length > 0 || spec.dedupe !== undefined;
    this.#guard = isGuarded ? new SourceGuard(spec, fields, counters) : undefined;
    this.#takesTies = spec.dedupe !== undefined && feedsForecastsOnly(nodes, number);
  }

  /** Judges the next row; rows come in event time. */
  inspect(row: PipelineRow): GuardOutcome {
    const isBehind = this.#takesTies ? row.timeMs < this.#newestMs : row.timeMs <= this.#newestMs;
    if (isBehind) return { kind: "duplicate" };
    this.#newestMs = row.timeMs;
    return this.#guard?.inspect(row) ?? { kind: "pass", row };
  }

  save(): Saved {
    const saved: SavedEntry = { newestMs: this.#newestMs, guard: this.#guard?.save() ?? null };
    return saved;
  }

  restore(saved: Saved): void {
    const { newestMs, guard } = saved as SavedEntry; // as `save` made it
    this.#newestMs = newestMs;
    this.#guard?.restore(guard);
  }
}

interface SavedEntry {
  readonly newestMs: number;
  readonly guard: Saved;
}

function sourceAt(nodes: readonly LayoutNode[], number: number): SourceLayout {
  const node = nodes[number];
  if (node?.kind === "source") return node.source;
  throw new RangeError(`node ${number} is no source`);
}

// One forecast run says many things at one time; all else wants one row per time.
function feedsForecastsOnly(nodes: readonly LayoutNode[], number: number): boolean {
  const uses = nodes.flatMap((node) =>
    node.kind === "source"
      ? []
      : node.inputs.flatMap((input, side) => (input === number ? [{ node, side }] : [])),
  );
  return uses.every(({ node, side }) => {
    const right = node.kind === "join" && side > 0 ? node.spec.rights[side - 1] : undefined;
    return right?.kind === "asof" && right.valid !== undefined;
  });
}
