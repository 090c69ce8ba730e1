// The labeller of each kind of label.

import { assert, unreachable } from "../../assert.js";
import { hashPipeline } from "../../task/hash.js";
import type { EventLabel, FeedbackLabel, Task } from "../../task/task.js";
import type { Layout } from "../layout.js";
import { FieldLabeller, NoLabeller } from "./at-once.js";
import type { LabelBook } from "./book.js";
import { wordsOf } from "./codes.js";
import { EventBook } from "./event.js";
import { IdBook } from "./feedback-id.js";
import { IntervalBook } from "./feedback-interval.js";
import { TimeBook } from "./feedback-time.js";
import { RowForecast, TimeForecast } from "./forecast.js";
import type { Labeller, LabellerOptions } from "./labeller.js";
import { WaitingLabeller } from "./waiting.js";

/** Makes a labeller for one entity. None of them labels with a missing or filled value: those are counted. */
export type CreateLabeller = (options: LabellerOptions) => Labeller;

/** How the rows of a task are labelled. */
export function labellersOf(task: Task, layout: Layout): CreateLabeller {
  const { label } = task;
  const { labelPosition } = layout;
  switch (label.kind) {
    case "none":
      return (options) => new NoLabeller(options);
    case "field":
      return (options) => new FieldLabeller(label, labelPosition, options);
    case "forecast": {
      const { ahead } = label;
      return ahead.kind === "time"
        ? (options) => new TimeForecast(ahead.ms, labelPosition, options)
        : (options) => new RowForecast(ahead.rows, labelPosition, options);
    }
    case "event":
      return eventLabellers(label, task, layout);
    case "feedback":
      return feedbackLabellers(label, task, layout);
    default:
      return unreachable(label);
  }
}

function eventLabellers(label: EventLabel, task: Task, { source, input }: Layout): CreateLabeller {
  const { spacingMs = 0 } = input;
  const main = task.sources[source];
  assert(main !== undefined, "the features come from a source");
  // Two rows may be lost without a word.
  const silenceMs = label.silenceMs ?? Math.max(main.late.idleMs, 3 * spacingMs);
  const words = wordsOfLabel(label, task);
  return (options) =>
    new WaitingLabeller(
      new EventBook({ label, words, silenceMs, counters: options.counters }),
      task.rows.everyMs,
      options,
    );
}

function feedbackLabellers(label: FeedbackLabel, task: Task, layout: Layout): CreateLabeller {
  const createBook = feedbackBooks(label, task, layout);
  // Who names a prediction, or a moment, means that very row.
  const everyMs = label.match.kind === "interval" ? task.rows.everyMs : undefined;
  return (options) => new WaitingLabeller(createBook(options), everyMs, options);
}

function feedbackBooks(
  label: FeedbackLabel,
  task: Task,
  { input }: Layout,
): (options: LabellerOptions) => LabelBook {
  const words = wordsOfLabel(label, task);
  const { match } = label;
  switch (match.kind) {
    case "id": {
      const hash = hashPipeline(task);
      return (options) => new IdBook(hash, { ...options, label, words });
    }
    case "time":
      return (options) => new TimeBook({ ...options, label, words });
    case "interval": {
      const spanMs = match.spanMs ?? input.spacingMs ?? 0;
      return (options) => new IntervalBook({ ...options, label, words, match, spanMs });
    }
    default:
      return unreachable(match);
  }
}

function wordsOfLabel({ from, of }: EventLabel | FeedbackLabel, { sources }: Task): readonly string[] {
  const source = sources[from];
  return source === undefined ? [] : wordsOf(source, of);
}
