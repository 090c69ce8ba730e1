// One entity's way through the pipeline: its operators, its features, its labels.

import type { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { ExampleMaker } from "./example-maker.js";
import { FeatureMaker } from "./feature-maker.js";
import { createLabeller, type Labeller } from "./labels.js";
import type { Layout } from "./layout.js";
import type { StepInstance } from "./operators/port.js";
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
  readonly #sink: EntityChainOptions["sink"];
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor({ task, layout, counters, sink }: EntityChainOptions) {
    this.#sink = sink;
    this.#steps = createSteps(layout, counters, (row) => this.#finish(row));
    this.#features = new FeatureMaker(layout, counters);
    const examples = new ExampleMaker({
      rows: task.rows,
      counters,
      emit: (example) => sink.example(example),
    });
    this.#labeller = createLabeller({
      label: task.label,
      output: task.model.output,
      position: layout.labelPosition,
      counters,
      emit: (labelled) => examples.push(labelled),
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
