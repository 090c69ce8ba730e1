// One entity's way through the pipeline: its operators and joins, its features, its labels.

import { unreachable } from "../assert.js";
import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { ExampleMaker } from "./example-maker.js";
import { FeatureMaker } from "./feature-maker.js";
import { Join } from "./join/join.js";
import type { CreateLabeller } from "./labels/create.js";
import type { HeardLabel, Labeller } from "./labels/labeller.js";
import type { PendingBudget } from "./labels/pending.js";
import type { Layout, LayoutNode, StepStage } from "./layout.js";
import type { StepInstance } from "./operators/port.js";
import { SourceEntry } from "./source-entry.js";
import type { Saved, Stateful } from "./state.js";
import type { Example, FeatureRow, PipelineRow, QuarantineItem } from "./types.js";

/** What a chain is made from. */
export interface EntityChainOptions {
  readonly task: Task;
  readonly layout: Layout;
  readonly counters: Counters;
  readonly createLabeller: CreateLabeller;
  /** Room for rows that wait for their label, shared by all entities. */
  readonly budget: PendingBudget;
  readonly sink: ChainSink;
}

/** Takes what comes out of a chain. */
export interface ChainSink {
  features(row: FeatureRow): void;
  example(example: Example): void;
  quarantine?(item: QuarantineItem): void;
}

type Emit = (row: PipelineRow) => void;

/** One node of the graph at work on one entity. */
interface Part extends Stateful {
  /** Takes a row of input `side`. */
  push(side: number, row: PipelineRow): void;
  /** `promises[i]`: no row of input i before that time will come. Returns the same about its own rows. */
  advance(promises: readonly number[]): number;
  dueMs(): number;
  flush(): void;
}

/** All that is remembered of one entity. Nothing in it knows of any other. */
export class EntityChain implements Stateful {
  readonly #nodes: readonly LayoutNode[];
  readonly #parts: readonly Part[];
  /** Of every node, by its number: no row before that time will come out of it any more. */
  readonly #promises: number[];
  readonly #features: FeatureMaker;
  readonly #examples: ExampleMaker;
  readonly #labeller: Labeller;
  readonly #sink: ChainSink;
  readonly #entries: readonly (SourceEntry | undefined)[];
  #advancedMs = Number.NEGATIVE_INFINITY;

  constructor({ task, layout, counters, createLabeller, budget, sink }: EntityChainOptions) {
    this.#nodes = layout.nodes;
    this.#sink = sink;
    this.#parts = createParts(layout.nodes, counters, (row) => this.#finish(row));
    this.#promises = layout.nodes.map(() => Number.NEGATIVE_INFINITY);
    this.#entries = layout.nodes.map((node, i) =>
      node.kind === "source" ? new SourceEntry(task, layout.nodes, i, counters) : undefined,
    );
    this.#features = new FeatureMaker(layout, counters);
    this.#examples = new ExampleMaker({
      rows: task.rows,
      counters,
      emit: (example) => sink.example(example),
    });
    this.#labeller = createLabeller({
      output: task.model.output,
      columns: layout.columns.length,
      counters,
      budget,
      emit: (labelled) => this.#examples.push(labelled),
    });
  }

  /** Takes the entity's next row of a source's node; false for one that is there already. */
  push(node: number, row: PipelineRow, raw?: Uint8Array): boolean {
    const entry = this.#entries[node]!;
    const outcome = entry.inspect(row);
    switch (outcome.kind) {
      case "pass":
        this.#parts[node]!.push(0, outcome.row);
        return true;
      case "quarantine": {
        const { reason, field, value } = outcome;
        const { entity, timeMs } = row;
        this.#sink.quarantine?.({ source: entry.name, entity, timeMs, reason, field, value, raw });
        return true;
      }
      case "duplicate":
        return false;
      default:
        return unreachable(outcome);
    }
  }

  /** No row before `watermarkMs` will come any more. */
  advance(watermarkMs: number): void {
    this.#advancedMs = watermarkMs;
    this.#nodes.forEach((node, i) => {
      const given =
        node.kind === "source" ? [watermarkMs] : node.inputs.map((input) => this.#promises[input]!);
      this.#promises[i] = this.#parts[i]!.advance(given);
    });
    this.#labeller.advance(watermarkMs, this.#promises.at(-1)!);
  }

  /** Takes what a source of labels said; false when it names a prediction that no row here waits for. */
  hear(heard: HeardLabel): boolean {
    return this.#labeller.hear(heard);
  }

  /** The earliest watermark that would make `advance` emit something; never too late, maybe too early. */
  dueMs(): number {
    let dueMs = this.#labeller.dueMs();
    for (const part of this.#parts) dueMs = Math.min(dueMs, part.dueMs());
    return dueMs > this.#advancedMs ? dueMs : this.#advancedMs + 1;
  }

  flush(): void {
    for (const part of this.#parts) part.flush();
    this.#labeller.flush();
  }

  /** The entity is forgotten. */
  drop(): void {
    this.#labeller.drop();
  }

  save(): Saved {
    const saved: SavedChain = {
      parts: this.#parts.map((part) => part.save()),
      promises: this.#promises,
      entries: this.#entries.map((entry) => entry?.save() ?? null),
      advancedMs: this.#advancedMs,
      features: this.#features.save(),
      labeller: this.#labeller.save(),
      examples: this.#examples.save(),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { parts, promises, entries, advancedMs, ...rest } = saved as SavedChain; // as `save` made it
    this.#parts.forEach((part, i) => {
      part.restore(parts[i]);
      this.#promises[i] = promises[i]!;
      this.#entries[i]?.restore(entries[i]);
    });
    this.#advancedMs = advancedMs;
    this.#features.restore(rest.features);
    this.#labeller.restore(rest.labeller);
    this.#examples.restore(rest.examples);
  }

  #finish(row: PipelineRow): void {
    this.#examples.see(row);
    const features = this.#features.push(row);
    if (features !== undefined) this.#sink.features(features);
    this.#labeller.push(row, features);
  }
}

interface SavedChain {
  readonly parts: readonly Saved[];
  readonly promises: readonly number[];
  readonly entries: readonly Saved[];
  readonly advancedMs: number;
  readonly features: Saved;
  readonly labeller: Saved;
  readonly examples: Saved;
}

// From the last to the first: each emits into those it feeds.
function createParts(nodes: readonly LayoutNode[], counters: Counters, finish: Emit): readonly Part[] {
  const parts: Part[] = new Array(nodes.length);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const emit = i === nodes.length - 1 ? finish : emitInto(consumersOf(nodes, i, parts));
    parts[i] = createPart(nodes[i]!, counters, emit);
  }
  return parts;
}

function consumersOf(nodes: readonly LayoutNode[], node: number, parts: readonly Part[]): readonly Emit[] {
  return nodes.flatMap((consumer, i) =>
    consumer.kind === "source"
      ? []
      : consumer.inputs.flatMap((input, side): Emit[] =>
          input === node ? [(row) => parts[i]!.push(side, row)] : [],
        ),
  );
}

// Nearly always one.
function emitInto(consumers: readonly Emit[]): Emit {
  const [only] = consumers;
  if (consumers.length === 1 && only !== undefined) return only;
  return (row) => {
    for (const push of consumers) push(row);
  };
}

function createPart(node: LayoutNode, counters: Counters, emit: Emit): Part {
  switch (node.kind) {
    case "source":
      return new StepChain([], counters, emit);
    case "chain":
      return new StepChain(node.steps, counters, emit);
    case "join":
      return new Join(node.spec, node.sides, { counters, emit });
  }
}

/** Operators one after the other; none of them for a source. */
class StepChain implements Part {
  readonly #steps: readonly StepInstance[];
  readonly #first: Emit;

  constructor(stages: readonly StepStage[], counters: Counters, emit: Emit) {
    let next = emit;
    this.#steps = stages
      .toReversed()
      .map(({ operator, params, input }) => {
        const instance = operator.create(params, input, { counters, emit: next });
        next = (row) => instance.push(row);
        return instance;
      })
      .toReversed();
    this.#first = next;
  }

  push(_side: number, row: PipelineRow): void {
    this.#first(row);
  }

  advance([watermarkMs]: readonly number[]): number {
    let promisedMs = watermarkMs!;
    for (const step of this.#steps) promisedMs = step.advance(promisedMs);
    return promisedMs;
  }

  dueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const step of this.#steps) dueMs = Math.min(dueMs, step.dueMs());
    return dueMs;
  }

  flush(): void {
    for (const step of this.#steps) step.flush();
  }

  save(): Saved {
    return this.#steps.map((step) => step.save());
  }

  restore(saved: Saved): void {
    const states = saved as readonly Saved[]; // as `save` made it
    this.#steps.forEach((step, i) => {
      step.restore(states[i]);
    });
  }
}
