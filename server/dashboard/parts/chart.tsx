// A curve over rounds. uPlot draws it; a table beside it says the same to those who cannot see it.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "../format.js";

export interface ChartProps {
  readonly label: string;
  readonly rounds: readonly number[];
  readonly values: readonly (number | undefined)[];
  readonly height?: number;
}

/** Draws `values` over `rounds`, as wide as its place. */
export function Chart({ label, rounds, values, height = 220 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data: uPlot.AlignedData = [[...rounds], values.map((value) => value ?? null)];
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(label, element, height), newest.current, element);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    addEventListener("headwater-theme", draw);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      removeEventListener("headwater-theme", draw);
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [label, height]);
  // Only when something is new: most redraws of the page bring no point.
  const last = values.at(-1);
  useEffect(() => plot.current?.setData(newest.current), [rounds.length, last]);
  const said = `${label}: ${values.length} points, newest ${number(last)}`;
  return <div class="chart" ref={place} role="img" aria-label={said} />;
}

function options(label: string, element: HTMLElement, height: number): uPlot.Options {
  const width = element.clientWidth;
  const colour = (name: string) => colourOf(element, name);
  const axis = {
    stroke: colour("--quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis,
        space: 60,
        size: 26,
        grid: { show: false },
        label: "round",
        labelSize: 18,
        labelFont: axis.font,
        labelGap: 0,
      },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => number(tick)) },
    ],
    series: [
      { label: "round" },
      { label, stroke: colour("--accent"), width: 2, spanGaps: true, points: { show: width > 0, size: 5 } },
    ],
  };
}

/** A colour of the style sheet as a canvas takes it: what it is in the theme now. */
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}
