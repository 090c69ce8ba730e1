// window: many rows in, one row of statistics out.

import { unreachable } from "../../../assert.js";
import { EXACT_VALUES } from "../../quantile.js";
import { numberPosition } from "../fields.js";
import {
  type Cost,
  type Input,
  OperatorError,
  rowsIn,
  type StepContext,
  type StepInstance,
  type StepOperator,
} from "../port.js";
import { isDeepStatistic, isOrderStatistic } from "../statistic.js";
import { DAY_MS, dayGrid, evenGrid, type WindowGrid } from "./grid.js";
import { RowWindows, TimeWindows } from "./grid-windows.js";
import { type Cover, WindowOutput } from "./output.js";
import type { PaneShape } from "./pane.js";
import { type WindowKind, type WindowParams, windowParams } from "./params.js";
import { SlidingWindows } from "./sliding-windows.js";
import { SpanWindows } from "./span-windows.js";
import { counted, sessions, states, tumbling } from "./spans.js";

/**
 * Windows [start, start + over), aligned to the Unix epoch or to a zone's days, or of so many rows, sessions, or as long as a
 * condition holds. A row is named by its window's start; where no rule says when that is, by its first row's time. Missing
 * values are skipped, filled ones count. A window without rows gives none; a statistic without values is missing, but
 * a count is 0. Moments merge exactly; quantiles are exact up to 2048 values per window, beyond that see `QuantileSketch`.
 */
export const window: StepOperator<WindowParams> = {
  name: "window",
  doc: "Statistics of windows: {over: 10m, rows: 30, sliding: 10m, session: {gap: 5m} or while: {of: on, is: 1}; every, offset, zone, minCover, emit, get: {temp: [mean, std, q95, slope]}}. slope is per second.",
  example: { params: { over: "1h", every: "30m", get: { temp: ["mean", "max", "last"] } } },
  moreExamples: [
    { params: { over: "1d", offset: "6h", zone: "Europe/Berlin", get: { temp: ["sum", "median", "q95"] } } },
    { params: { over: "7h", every: "2h", minCover: "50%", spacing: "40m", get: { temp: ["slope", "mad"] } } },
    { params: { over: "1h", emit: { every: "10m" }, get: { temp: ["first", "range"] } } },
    { params: { over: "1h", emit: "each", get: { temp: ["count", "rms"] } } },
    { params: { rows: 7, every: 3, get: { temp: ["std", "skew", "kurtosis"] } } },
    { params: { rows: 5, emit: "each", get: { temp: ["min"] } } },
    { params: { sliding: "3h", get: { temp: ["mean", "q10", "iqr", "slope"] } } },
    { params: { session: { gap: "20m", max: "2h", get: ["seconds", "rows"] }, get: { temp: ["max"] } } },
    { params: { while: { of: "on", above: 3, max: "6h", get: ["seconds"] }, get: { temp: ["mean"] } } },
    { params: { while: { of: "on", is: [1, 2, 3] }, emit: "each", get: { temp: ["sum"] } } },
  ],
  params: windowParams,
  reads: ({ window, get }) => [
    ...new Set([...Object.keys(get), ...(window.kind === "while" ? [window.of] : [])]),
  ],
  output(params, input) {
    shapeOf(params, input);
    coverOf(params, input);
    if (params.window.kind === "while") conditionPosition(params.window, input);
    const ofWindow = params.span.map((field) => `${params.window.kind}.${field}`);
    const ofFields = Object.entries(params.get).flatMap(([name, statistics]) =>
      statistics.map((statistic) => `${name}.${statistic}`),
    );
    const fields = [...ofWindow, ...ofFields].map((name) => ({ name, length: 1 }));
    if (fields.length === 0)
      throw new OperatorError(["get"], "asks for nothing: expected statistics of a field");
    return { fields, spacingMs: spacingOf(params, input) };
  },
  create: createWindows,
  cost: costOf,
};

function createWindows(params: WindowParams, input: Input, context: StepContext): StepInstance {
  const { window, emit } = params;
  const shape = shapeOf(params, input);
  const output = new WindowOutput(context, coverOf(params, input));
  const early = emit === "each" ? ({ kind: "each" } as const) : ({ kind: "close" } as const);
  switch (window.kind) {
    case "time": {
      const grid = gridOf(window);
      if (emit === "close") return new TimeWindows(grid, shape, output);
      const emission = emit === "each" ? early : ({ kind: "every", ms: emit.everyMs, grid } as const);
      return new SpanWindows(tumbling(grid), emission, shape, output);
    }
    case "rows":
      return emit === "close"
        ? new RowWindows(window.size, window.every, shape, output)
        : new SpanWindows(counted(window.size), early, shape, output);
    case "sliding":
      return new SlidingWindows(window.overMs, shape, output, context);
    case "session":
      return new SpanWindows(sessions(window.gapMs, window.maxMs), early, shape, output);
    case "while": {
      const condition = { ...window, position: conditionPosition(window, input) };
      return new SpanWindows(states(condition, window.maxMs), early, shape, output);
    }
    default:
      return unreachable(window);
  }
}

function shapeOf({ get, span }: WindowParams, input: Input): PaneShape {
  const columns = Object.entries(get).map(([name, statistics]) => ({
    position: numberPosition(input, name, ["get", name]),
    statistics,
    isOrdered: statistics.some(isOrderStatistic),
    isDeep: statistics.some(isDeepStatistic),
  }));
  return { span, columns };
}

function coverOf({ minCover, spacingMs }: WindowParams, input: Input): Cover | undefined {
  if (minCover === undefined) return undefined;
  const spacing = spacingMs ?? input.spacingMs;
  if (spacing !== undefined) return { share: minCover, spacingMs: spacing };
  throw new OperatorError(
    ["minCover"],
    "rows come without a grid here: write what one covers, such as spacing: 1m",
  );
}

function conditionPosition({ of }: { readonly of: string }, input: Input): number {
  return numberPosition(input, of, ["while", "of"]);
}

function gridOf({ sizeMs, everyMs, offsetMs, zone }: WindowKind & { readonly kind: "time" }): WindowGrid {
  if (zone === undefined) return evenGrid(sizeMs, everyMs, offsetMs);
  return dayGrid(zone, sizeMs / DAY_MS, everyMs / DAY_MS, offsetMs);
}

function spacingOf({ window, emit }: WindowParams, input: Input): number | undefined {
  if (window.kind === "sliding") return input.spacingMs;
  // While a condition does not hold, no rows come out.
  if (emit === "each") return window.kind === "while" ? undefined : input.spacingMs;
  if (window.kind !== "time" || window.zone !== undefined) return undefined;
  if (emit === "close") return window.everyMs;
  return window.sizeMs % emit.everyMs === 0 ? emit.everyMs : undefined;
}

// A field's summary and its object; a value kept in order; a row remembered, its time and its place in two stacks.
const SUMMARY_BYTES = 200;
const VALUE_BYTES = 8;
const SLIDING_BYTES = 16 + SUMMARY_BYTES;

function costOf(params: WindowParams, input: Input): Cost {
  const { window, get } = params;
  const columns = Object.values(get);
  const ordered = columns.filter((statistics) => statistics.some(isOrderStatistic)).length;
  const rows = rowsOfWindow(window, input);
  const panes = panesOf(window);
  const values = ordered * VALUE_BYTES * (window.kind === "sliding" ? rows : keptValues(rows, panes));
  const ofRows = window.kind === "sliding" ? rows * SLIDING_BYTES * columns.length : 0;
  const stateBytes = panes * (64 + SUMMARY_BYTES * columns.length) + values + ofRows;
  return { stateBytes, ...warmUpOf(params, input) };
}

function rowsOfWindow(window: WindowKind, input: Input): number {
  switch (window.kind) {
    case "time":
      return rowsIn(window.sizeMs, input);
    case "sliding":
      return rowsIn(window.overMs, input);
    case "rows":
      return window.size;
    case "session":
    case "while":
      return rowsIn(window.maxMs, input);
    default:
      return unreachable(window);
  }
}

// Two slices from one window's start to the next, and one to merge them in.
function panesOf(window: WindowKind): number {
  if (window.kind === "time" && window.everyMs < window.sizeMs)
    return 2 * Math.ceil(window.sizeMs / window.everyMs) + 1;
  if (window.kind === "rows" && window.every < window.size)
    return 2 * Math.ceil(window.size / window.every) + 1;
  return 1;
}

// What sketches keep: all values, or one level for each doubling beyond the first.
function keptValues(rows: number, panes: number): number {
  const perPane = Math.ceil(rows / panes);
  const levels = 1 + Math.max(0, Math.ceil(Math.log2(perPane / EXACT_VALUES)));
  return panes * Math.min(perPane, levels * EXACT_VALUES);
}

function warmUpOf({ window, emit }: WindowParams, { spacingMs = 0 }: Input): Omit<Cost, "stateBytes"> {
  const reachMs = reachOf(window, spacingMs);
  if (emit !== "close" || window.kind === "sliding") return { warmUpMs: 0, warmUpRows: 1, reachMs };
  if (window.kind === "rows") return { warmUpMs: reachMs, warmUpRows: window.size, reachMs };
  if (window.kind === "time") return { warmUpMs: reachMs, warmUpRows: 1, reachMs };
  return { warmUpMs: window.kind === "session" ? window.gapMs : 0, warmUpRows: 1, reachMs };
}

function reachOf(window: WindowKind, spacingMs: number): number {
  switch (window.kind) {
    case "time":
      return window.sizeMs;
    case "rows":
      return window.size * spacingMs;
    case "sliding":
      return window.overMs;
    case "session":
    case "while":
      return window.maxMs;
    default:
      return unreachable(window);
  }
}
