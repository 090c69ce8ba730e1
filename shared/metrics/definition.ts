// What a metric is, before it has a value. Names follow Prometheus' conventions: base units, the unit last, `_total` on
// what only grows, nothing in a name that a label says.

/** A metric: what it counts or measures, and by what it is told apart. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  /** One sentence. */
  readonly help: string;
  /** Names of its labels. Their values are bounded. */
  readonly labels: readonly string[];
  /** Most series; what goes beyond is told together, as `__other__`. */
  readonly seriesMax: number;
}

/** Metrics by name. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** Series of a metric whose labels are few words of ours. */
const SERIES_MAX = 100;

interface Shape {
  readonly labels?: readonly string[];
  readonly seriesMax?: number;
}

export function counter(help: string, shape: Shape = {}): MetricDefinition {
  return define("counter", help, shape);
}

export function gauge(help: string, shape: Shape = {}): MetricDefinition {
  return define("gauge", help, shape);
}

export function histogram(help: string, shape: Shape = {}): MetricDefinition {
  return define("histogram", help, shape);
}

function define(
  kind: MetricDefinition["kind"],
  help: string,
  { labels = [], seriesMax = SERIES_MAX }: Shape,
): MetricDefinition {
  return { kind, help, labels, seriesMax };
}
