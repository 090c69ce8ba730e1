// Small plots as SVG in a page: no script, no font, nothing fetched.

import { type Html, html } from "./html.js";

const WIDTH = 900;
const HEIGHT = 240;
const LEFT = 64;
const BOTTOM = 28;
const TOP = 12;

/** Points of a plot; x ascends. */
export type Points = readonly { readonly x: number; readonly y: number }[];

/** What is drawn, and the sentence for who cannot see it. */
export interface Plot {
  readonly label: string;
  readonly series: readonly { readonly name: string; readonly tone: string; readonly points: Points }[];
  readonly as: "line" | "bars";
}

/** The plot, or a sentence when there is nothing to draw. */
export function renderPlot({ label, series, as }: Plot): Html {
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return html`<p class="quiet">Nothing to show yet.</p>`;
  const frame = frameOf(all, as);
  const marks = series.map(({ tone, points }, at) =>
    as === "line" ? line(points, tone, frame) : bars(points, { tone, at, of: series.length }, frame),
  );
  const legend = series.map(({ name, tone }) => html`<span class="key ${tone}">${name}</span>`);
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${axes(frame)}${marks}</svg><p class="legend">${legend}</p>`;
}

interface Frame {
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function frameOf(points: Points, as: Plot["as"]): Frame {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [minX, maxX] = [smallest(xs) - 0.5, largest(xs) + 0.5];
  const top = largest(ys);
  const low = as === "bars" ? 0 : smallest(ys);
  const slack = (top - low || Math.abs(top) || 1) * 0.08;
  const [minY, maxY] = [as === "bars" ? 0 : low - slack, top + slack];
  return {
    ...{ minX, maxX, minY, maxY },
    x: (value) => round(LEFT + ((value - minX) / (maxX - minX)) * (WIDTH - LEFT - 8)),
    y: (value) => round(HEIGHT - BOTTOM - ((value - minY) / (maxY - minY)) * (HEIGHT - BOTTOM - TOP)),
  };
}

function axes({ minX, maxX, minY, maxY, x, y }: Frame): Html {
  const levels = [0, 1, 2, 3].map((at) => minY + ((maxY - minY) * at) / 3);
  const firstX = Math.ceil(minX);
  const lastX = Math.floor(maxX);
  return html`${levels.map(
    (level) =>
      html`<line class="rule" x1="${LEFT}" x2="${WIDTH}" y1="${y(level)}" y2="${y(level)}"/><text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end">${shown(level)}</text>`,
  )}<text x="${x(firstX)}" y="${HEIGHT - 8}">${firstX}</text><text x="${x(lastX)}" y="${HEIGHT - 8}" text-anchor="end">round ${lastX}</text>`;
}

function line(points: Points, tone: string, { x, y }: Frame): Html {
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
  const dots = points.map((point) => html`<circle cx="${x(point.x)}" cy="${y(point.y)}" r="2.5"/>`);
  return html`<g class="${tone}"><polyline points="${path}"/>${dots}</g>`;
}

function bars(
  points: Points,
  { tone, at, of }: { readonly tone: string; readonly at: number; readonly of: number },
  { x, y }: Frame,
): Html {
  const room = (x(1) - x(0)) * 0.8;
  const width = Math.max(1, round(room / of));
  const rects = points.map(
    (point) =>
      html`<rect x="${round(x(point.x) - room / 2 + at * width)}" y="${y(point.y)}" width="${width}" height="${round(y(0) - y(point.y))}"/>`,
  );
  return html`<g class="${tone}">${rects}</g>`;
}

/** Of many: a call with as many arguments as there are points could be too long. */
function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

function smallest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
