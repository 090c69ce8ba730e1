// Examples of docs/pipeline.md that belong to no registry: each is put into a whole task and read, so that what is
// shown works. `shows` are the words of the schema that it is about; none may be without an example.

/** A part of a task as an author writes it. */
export interface DocsExample {
  readonly title: string;
  readonly doc: string;
  /** YAML of parts of a task. */
  readonly yaml: string;
  readonly shows: readonly string[];
}

/** How late and odd times are dealt with. */
export const eventTimeExamples: readonly DocsExample[] = [
  {
    title: "late: drop",
    doc: "A reading behind the watermark is dropped and counted.",
    yaml: `sources:
  air: { late: { disorder: 30s, then: drop, idle: 15m } }`,
    shows: ["drop"],
  },
  {
    title: "late: side",
    doc: "It goes to the quarantine, with the message it came in; so does one too far ahead of the clock, or of a clock that was never set.",
    yaml: `sources:
  air: { late: { disorder: 30s, then: side, future: 5m, ancient: 365d } }`,
    shows: ["side"],
  },
  {
    title: "late: update",
    doc: "It is put in after all, up to an hour behind, and what it changes is made again.",
    yaml: `sources:
  air: { late: { disorder: 30s, then: update, allowed: 1h } }`,
    shows: ["update"],
  },
  {
    title: "dedupe",
    doc: "A reading sent twice, at another time each, is known by its sequence number.",
    yaml: `sources:
  air: { time: arrival, dedupe: { by: [seq], within: 10m } }`,
    shows: [],
  },
];

/** What values must be like. */
export const checkExamples: readonly DocsExample[] = [
  {
    title: "range, stuck and fast change",
    doc: "Outside of what is possible, unchanged for too long, or changed faster than the thing can: missing.",
    yaml: `sources:
  air:
    checks:
      temp: { min: -40, max: 85, stuck: 2h, change: { max: 10, per: 1m }, onFail: missing }`,
    shows: ["missing"],
  },
  {
    title: "limits of the instrument",
    doc: "What is out of range is moved to the nearest limit.",
    yaml: `sources:
  air: { checks: { pm25: { min: 0, max: 999, onFail: clip } } }`,
    shows: ["clip"],
  },
  {
    title: "nonsense",
    doc: "A reading without its mode, or with one that there is not, is set aside as a whole.",
    yaml: `sources:
  air: { checks: { mode: { oneOf: [0, 1, 2], required: true, onFail: quarantine } } }`,
    shows: ["quarantine"],
  },
  {
    title: "counters",
    doc: "A meter may start anew (counted) or must never fall.",
    yaml: `sources:
  air: { checks: { kwh: { counter: reset }, total: { counter: strict } } }`,
    shows: ["reset", "strict"],
  },
];

/** Streams that meet. */
export const joinExamples: readonly DocsExample[] = [
  {
    title: "as-of",
    doc: "The newest row at or before the left one's time and at most `back` older. Without one the left row is dropped, or has missing values (mask), or the last known whatever its age (hold).",
    yaml: `sources: { air: {}, weather: { shared: true, late: { idle: 30s } }, door: {}, meter: {} }
join:
  rows:
    left: air
    asof:
      weather: { take: [temp, wind], back: 2h, miss: drop }
      door: { take: { open: state }, back: 1d, miss: hold }
      meter: { take: [kw], back: 5m, miss: mask }
features: { from: rows, list: [{ copy: [x, temp, wind, open, kw] }] }`,
    shows: ["drop", "hold", "mask"],
  },
  {
    title: "as-of, for forecasts",
    doc: "Rows of the right side are forecasts: made at their own time, valid for the time in a field (Unix seconds). Of those known at t, the one for t + ahead is taken, never one that was made later.",
    yaml: `sources: { air: {}, sky: { time: { field: issued, unit: s }, dedupe: { by: [valid] } } }
join:
  rows: { left: air, asof: { sky: { take: [sun], valid: valid, ahead: 24h, back: 1h } } }
features: { from: rows, list: [{ copy: [x, sun] }] }`,
    shows: [],
  },
  {
    title: "interval",
    doc: "Statistics of the right side's rows around the left one's time, both ends included.",
    yaml: `sources: { air: {}, events: {} }
join:
  rows: { left: air, interval: { events: { get: { alarm: [count, last] }, before: 10m, after: 1m, miss: mask } } }
features: { from: rows, list: [{ copy: [x, alarm.count] }] }`,
    shows: [],
  },
];

/** How columns are brought to like size. */
export const scalingExamples: readonly DocsExample[] = [
  {
    title: "scale: standard",
    doc: "To mean 0 and standard deviation 1, fitted by the whole fleet before the first round and frozen with the model.",
    yaml: `features: { from: air, list: [{ copy: x }], scale: standard }`,
    shows: ["standard"],
  },
  {
    title: "scale: robust",
    doc: "(x - median) / (upper - lower quartile) of the whole fleet's values, fitted likewise: outliers do not matter. Devices share 81 quantiles of each column, from which the ranks of median and quartiles follow to within 1 %.",
    yaml: `features: { from: air, list: [{ copy: x }], scale: robust }`,
    shows: ["robust"],
  },
  {
    title: "scale: minmax",
    doc: "To [0, 1], or to what is asked for, fitted likewise.",
    yaml: `features: { from: air, list: [{ copy: x }], scale: { minmax: [-1, 1] } }`,
    shows: ["minmax"],
  },
  {
    title: "scale: constant",
    doc: "(x - offset) / divide: nothing is fitted, nothing is shared.",
    yaml: `features: { from: air, list: [{ copy: x }], scale: { constant: { offset: 20, divide: 10 } } }`,
    shows: ["constant"],
  },
  {
    title: "scale: none",
    doc: "As it is.",
    yaml: `features: { from: air, list: [{ copy: x }], scale: none }`,
    shows: ["none"],
  },
];
