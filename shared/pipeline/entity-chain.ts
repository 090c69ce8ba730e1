// One entity's way through the pipeline: its operators, its features, its labels.

import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { createLabeller, type Labelled, type Labeller } from "./labels.js";
import type { FeatureStage, Layout } from "./layout.js";
import type { FeatureComputer, FeatureState, StepInstance } from "./operators/port.js";
import { splitOf } from "./split.js";
import type { Example, FeatureRow, PipelineRow } from "./types.js";

/** What a chain is made from. */
export interface EntityChainOptions {
  readonly task: Task;
  readonly layout: Layout;
  readonly counters: Counters;
  readonly sink: { features(row: FeatureRow): void; example(example: Example): void };
}

/** All that is remembered of one entity. Nothing in it knows of any other. */
export class EntityChain {
  readonly #steps: readonly StepInstance[];
  readonly #features: FeatureMaker;
  readonly #labeller: Labeller;
  readonly #examples: ExampleMaker;
  readonly #sink: EntityChainOptions["sink"];
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(options: EntityChainOptions) {
    const { task, layout, counters, sink } = options;
    this.#sink = sink;
    this.#steps = createSteps(layout, counters, (row) => this.#finish(row));
    this.#features = new FeatureMaker(layout, counters);
    this.#examples = new ExampleMaker(options);
    this.#labeller = createLabeller({
      label: task.label,
      output: task.model.output,
      position: layout.labelPosition,
      counters,
      emit: (labelled) => this.#examples.push(labelled),
    });
  }

  /** Takes the entity's next row; false for a second row of the same time. */
  push(row: PipelineRow): boolean {
    if (row.timeMs <= this.#newestMs) return false;
    this.#newestMs = row.timeMs;
    const first = this.#steps[0];
    if (first === undefined) this.#finish(row);
    else first.push(row);
    return true;
  }

  /** No row before `watermarkMs` will come any more. */
  advance(watermarkMs: number): void {
    this.#steps.reduce((promisedMs, step) => step.advance(promisedMs), watermarkMs);
  }

  /** The earliest watermark that would make `advance` emit something; never too late, maybe too early. */
  dueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const step of this.#steps) dueMs = Math.min(dueMs, step.dueMs());
    return dueMs;
  }

  flush(): void {
    for (const step of this.#steps) step.flush();
    this.#labeller.flush();
  }

  #finish(row: PipelineRow): void {
    const features = this.#features.push(row);
    if (features !== undefined) this.#sink.features(features);
    this.#labeller.push(row, features);
  }
}

// From the last to the first: each emits into the next.
function createSteps(
  { steps }: Layout,
  counters: Counters,
  finish: (row: PipelineRow) => void,
): readonly StepInstance[] {
  let emit = finish;
  return steps
    .toReversed()
    .map(({ operator, params, input }) => {
      const instance = operator.create(params, input, { counters, emit });
      emit = (row) => instance.push(row);
      return instance;
    })
    .toReversed();
}

/** Rows to features; a row without all of them gives none, and is counted by the reason. */
class FeatureMaker {
  readonly #computers: readonly { readonly computer: FeatureComputer; readonly offset: number }[];
  readonly #counters: Counters;
  readonly #width: number;
  // Handed out when complete, used again when not.
  #buffer: Float32Array | undefined;

  constructor({ features, input, columns }: Layout, counters: Counters) {
    this.#computers = features.map(({ operator, params, offset }: FeatureStage) => ({
      computer: operator.create(params, input, counters),
      offset,
    }));
    this.#counters = counters;
    this.#width = columns.length;
  }

  push(row: PipelineRow): FeatureRow | undefined {
    const features = this.#buffer ?? new Float32Array(this.#width);
    const state = this.#compute(row, features);
    if (state !== "complete") {
      this.#buffer = features;
      this.#counters.add(`features.${state}`);
      return undefined;
    }
    this.#buffer = undefined;
    return { entity: row.entity, timeMs: row.timeMs, features, test: row.test };
  }

  // Every computer sees every row, though one reason is enough: warming up explains more than a gap.
  #compute(row: PipelineRow, features: Float32Array): FeatureState {
    let worst: FeatureState = "complete";
    for (const { computer, offset } of this.#computers) {
      const state = computer.push(row, features, offset);
      if (state === "complete") continue;
      if (worst === "complete" || state === "warming-up") worst = state;
    }
    return worst;
  }
}

/** Labelled rows to examples: thinned, then dealt to their side. */
class ExampleMaker {
  readonly #task: Task;
  readonly #counters: Counters;
  readonly #sink: EntityChainOptions["sink"];
  #slot = Number.NEGATIVE_INFINITY;

  constructor({ task, counters, sink }: EntityChainOptions) {
    this.#task = task;
    this.#counters = counters;
    this.#sink = sink;
  }

  push({ row, label, persistence, untilMs }: Labelled): void {
    const { everyMs, split: spec } = this.#task.rows;
    // The first of each stretch of event time, so that no example depends on when we began to count.
    const slot = everyMs === undefined ? row.timeMs : Math.floor(row.timeMs / everyMs);
    if (slot === this.#slot) {
      this.#counters.add("examples.thinned");
      return;
    }
    this.#slot = slot;
    const { entity, timeMs, features, test } = row;
    const split = splitOf(spec, { entity, timeMs, untilMs, test });
    if (split === "gap") this.#counters.add("examples.gap");
    else this.#sink.example({ entity, timeMs, features, test, label, persistence, split });
  }
}
