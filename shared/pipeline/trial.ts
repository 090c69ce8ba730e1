// Every operator of a task, tried by itself on made-up rows: how long one takes is measured, not guessed.

import type { Clock } from "../clock.js";
import { Counters } from "../counters.js";
import type { Task } from "../task/task.js";
import { layOut } from "./layout.js";
import type { Field, Input } from "./operators/port.js";
import type { PipelineRow, Value } from "./types.js";

/** One operator at work: takes so many rows. */
interface Trial {
  readonly input: Input;
  push(row: PipelineRow): void;
}

/** Rows between two looks at the clock. */
const BATCH_ROWS = 64;

/** Milliseconds per row of every operator, in the order of `planPipeline`'s parts; undefined for a join. */
export function measureParts(task: Task, clock: Clock, budgetMs: number): readonly (number | undefined)[] {
  return trialsOf(task).map((trial) => (trial === undefined ? undefined : measure(trial, clock, budgetMs)));
}

function trialsOf(task: Task): readonly (Trial | undefined)[] {
  const { nodes, features, input } = layOut(task);
  const counters = new Counters();
  const ofSteps = nodes.flatMap((node): (Trial | undefined)[] => {
    if (node.kind === "source") return [];
    if (node.kind === "join") return [undefined];
    return node.steps.map(({ operator, params, input }) => {
      const instance = operator.create(params, input, { counters, emit: () => undefined });
      return { input, push: (row) => instance.push(row) };
    });
  });
  const ofFeatures = features.map(({ operator, params, columns }): Trial => {
    const computer = operator.create(params, input, counters);
    const out = new Float32Array(columns.length);
    return { input, push: (row) => void computer.push(row, out, 0) };
  });
  return [...ofSteps, ...ofFeatures];
}

// Once for the compiler's sake, then until the time is up. Values are made beforehand: they are not what is measured.
function measure({ input, push }: Trial, clock: Clock, budgetMs: number): number {
  const { fields, spacingMs = 1_000 } = input;
  const made = Array.from({ length: BATCH_ROWS }, (_, i) => fields.map((field, at) => madeUp(field, i + at)));
  let row = 0;
  const run = () => {
    for (const values of made) {
      push({ entity: "trial", timeMs: row * spacingMs, values, filled: undefined, test: false });
      row += 1;
    }
  };
  for (let i = 0; i < 8; i++) run();
  const startedMs = clock.now();
  const startedAt = row;
  let elapsedMs = 0;
  while (elapsedMs < budgetMs) {
    run();
    elapsedMs = clock.now() - startedMs;
  }
  return elapsedMs / (row - startedAt);
}

// Every value differs from the one before, as a sensor's do.
function madeUp({ length }: Field, seed: number): Value {
  if (length === 1) return Math.sin(seed) * 50 + 50;
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 0.1));
}
