// Examples of labels and of rows in docs/pipeline.md, read as those of docs-examples.ts are.

import type { DocsExample } from "./docs-examples.js";

/** What is predicted. */
export const labelExamples: readonly DocsExample[] = [
  {
    title: "forecast",
    doc: "The value of a field some time after the row: the stream labels itself. The row at exactly that time is taken, no neighbour, and no filled value. `ahead: { rows: 1 }` counts rows instead. Another horizon is another task.",
    yaml: `label: { forecast: { of: x, ahead: 1h }, scale: standard }
features: { from: air, list: [{ copy: x }], scale: standard }`,
    shows: ["forecast"],
  },
  {
    title: "field",
    doc: "A field of the row itself: a number, moved to the nearest limit, a class index, or 0 or 1.",
    yaml: `label: { field: { of: rul, min: 0, max: 125 } }`,
    shows: ["field"],
  },
  {
    title: "event",
    doc: "Whether an event comes within the horizon, for a model with `output: binary`. A row is 1 when a positive event falls in (t, t + horizon]. It is 0 only once event time has passed the horizon and the wait without one, nothing was stopped or seen to meanwhile, and rows kept coming. Rows of which that cannot be said are counted by the reason (`labels.censored`, `.silent`, `.unripe`), and so are those while the thing is under repair (`labels.excluded`). Events go straight to the rows: their source does not hold event time back.",
    yaml: `sources:
  air: {}
  failures: { mqtt: plant/+/failure, text: { kind: [failure, maintenance, stopped] } }
label:
  event:
    from: failures
    of: kind
    positive: [failure]
    censor: [maintenance, stopped]
    horizon: 72h
    exclude: { after: 12h }
    wait: 10m
model: { dense: [8], output: binary }`,
    shows: ["event"],
  },
  {
    title: "feedback by id",
    doc: "An operator's word on a prediction, or ground truth that comes later. Every prediction has an `id`; the answer names it. An example is made once the wait is over: until then an answer may be corrected, and the one said last counts. Later ones are counted (`labels.unmatched`: nobody waits for that id any more).",
    yaml: `sources:
  air: {}
  answers: { mqtt: plant/answers, time: arrival, id: prediction, text: { verdict: [fine, broken] } }
label: { feedback: { from: answers, of: verdict, match: id, wait: 24h } }
model: { dense: [8], output: binary }`,
    shows: ["feedback", "id"],
  },
  {
    title: "feedback by time",
    doc: "A measurement that comes later, about the row of its entity at exactly its event time. One for which there is no row is kept until there can be none, then counted (`labels.unmatched`).",
    yaml: `sources: { air: {}, laboratory: { mqtt: lab/+ } }
label: { feedback: { from: laboratory, of: ph, match: time, wait: 7d } }`,
    shows: ["time"],
  },
  {
    title: "feedback by interval",
    doc: "Stretches [start, end) with one label each, in Unix seconds. A row covers the time from its own on, `span` long; at every moment the stretch said last counts, and the label that covers at least `purity` of the row is its own.",
    yaml: `sources:
  air: {}
  diary: { mqtt: wear/+/label, text: { activity: [none, walk, sit, stand] } }
label:
  feedback:
    from: diary
    of: activity
    match: { interval: { start: from, end: to, span: 10s } }
    purity: 0.8
    classes: [walk, sit, stand]
model: { dense: [8], output: { classification: 3 } }`,
    shows: ["interval"],
  },
  {
    title: "none",
    doc: "An autoencoder learns the row itself; its prediction is how far off it was. With a threshold the prediction also says `anomaly: 1` beyond that share of the errors on the device's own validation rows, the newest 2,000 of them. The device takes it anew for every version it serves, and whenever it holds a tenth more or fewer such rows; before there are enough of them (200 for 99.5%) predictions say nothing of anomalies. The threshold is no part of the model: changing it keeps models valid.",
    yaml: `label: { none: { threshold: 99.5% } }
model: { autoencoder: [4] }`,
    shows: ["none"],
  },
];

/** Which rows become examples. */
export const rowExamples: readonly DocsExample[] = [
  {
    title: "keep",
    doc: "The newest examples, and a draw of the train examples that were too old for them: each that ever left the ring is in it with the same chance (Vitter 1985, algorithm R), or each of its class with `balance: class`. Training takes both. The draw about the n-th depends on the device's seed and n alone.",
    yaml: `rows: { every: 1m, keep: { ring: 20000, reservoir: 2000, size: 64MiB, age: 90d } }`,
    shows: [],
  },
  {
    title: "test: from a date",
    doc: "All rows from a date on, UTC. Validation is the end of nothing: whole blocks of time, spread evenly.",
    yaml: `rows: { split: { test: { from: 2026-01-01 }, validation: 15%, gap: 25h } }`,
    shows: [],
  },
  {
    title: "test: the last share",
    doc: "A stream has no end to count from, and a row that is the last today would have to change sides tomorrow. So it is the last share of every block of time.",
    yaml: `rows: { split: { test: { last: 20%, of: 30d } } }`,
    shows: [],
  },
  {
    title: "test: sessions or entities",
    doc: "Whole sessions (an entity's rows without a long pause) or whole entities, drawn by their names.",
    yaml: `rows: { split: { test: { by: session, share: 20%, pause: 1h } } }`,
    shows: [],
  },
  {
    title: "test: given, and validation by entity",
    doc: "The data brings a test set of its own. Without blocks of time no gap is needed.",
    yaml: `rows: { split: { test: given, validation: { share: 20%, by: entity } } }`,
    shows: [],
  },
];
