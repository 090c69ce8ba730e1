// The fixed parts of a report page: how it looks, and the few lines that draw its curves in the browser.

/** Style sheet. Follows the reader's light or dark setting; every colour is a variable that the script reads too. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --card: #ffffff; --ink: #1d2329; --quiet: #5d6873; --rule: #e2e5e8;
  --federated: #0b6e99; --local: #c2571a; --naive: #7a7f87; --up: #0b6e99; --down: #7fb3c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --card: #1b2127; --ink: #e6eaee; --quiet: #98a4b0; --rule: #2d353d;
    --federated: #5cc0e8; --local: #f0975c; --naive: #a2a9b1; --up: #5cc0e8; --down: #2f6f88;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
.quiet { color: var(--quiet); margin: .15rem 0 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: .9rem; margin: 1.4rem 0; }
.card, section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem 1.1rem; }
.card b { display: block; font-size: 1.7rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card { border-left: 4px solid var(--tone); }
.card p { margin: 0; }
section { margin: 0 0 1rem; overflow-x: auto; }
.numbers { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.numbers :is(th, td) { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); }
.numbers th { color: var(--quiet); font-weight: 500; font-size: .85rem; }
.numbers tbody tr:last-child td { border-bottom: 0; }
.numbers :is(th, td):first-child { text-align: left; padding-left: 0; }
summary { cursor: pointer; font-weight: 600; }
details .numbers { margin-top: .6rem; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.uplot { font-family: inherit; }
.u-legend { font-size: .85rem; color: var(--quiet); text-align: left; }
.u-legend th { font-weight: 500; }
footer { color: var(--quiet); font-size: .85rem; }
`;

/** Draws the curves from the JSON in the page, again whenever the width or the colours change. */
export const REPORT_SCRIPT = `
const data = JSON.parse(document.getElementById("data").textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const axis = (label, more) => ({
  label, labelSize: 24, labelFont: "13px system-ui, sans-serif", font: "12px system-ui, sans-serif",
  stroke: colour("quiet"), grid: { stroke: colour("rule"), width: 1 }, ticks: { stroke: colour("rule"), width: 1 }, ...more,
});
const bytes = (n) => n >= 1048576 ? +(n / 1048576).toPrecision(3) + " MiB"
  : n >= 1024 ? +(n / 1024).toPrecision(3) + " KiB" : n + " B";
const shown = (format) => (_, v) => v == null ? "" : format(v);
const number = (v) => (+v.toPrecision(4)).toString();
const whole = (_, splits) => splits.map((v) => Number.isInteger(v) ? v : "");

function draw(id, { y, range, x = "train round", xs = [0.6, whole], name = "round" }, columns, series) {
  const place = document.getElementById(id);
  const options = {
    width: place.clientWidth, height: 300, cursor: { y: false },
    scales: { x: { time: false, range: (_, min, max) => [min - xs[0], max + xs[0]] }, y: range ? { range } : {} },
    axes: [axis(x, { values: xs[1], size: 34 }), y],
    series: [{ label: name, value: (_, v) => v == null ? "" : v }, ...series],
  };
  place.replaceChildren();
  new uPlot(options, columns, place);
}

function level(name, value, tone) {
  return value == null ? [] : [{ column: data.rounds.map(() => value),
    series: { label: name, stroke: colour(tone), width: 1.5, dash: [6, 5], points: { show: false }, value: shown(number) } }];
}

function drawAll() {
  const rounds = data.rounds.map((r) => r.round);
  const levels = [...level("each device alone", data.localOnly, "local"), ...level("naive", data.naive, "naive")];
  draw("metric", { y: axis(data.metric + " on the test set", { size: 56 }) },
    [rounds, data.rounds.map((r) => r.value), ...levels.map((l) => l.column)],
    [{ label: "federated", stroke: colour("federated"), width: 2.5, value: shown(number),
       points: { show: rounds.length <= 40, size: 6, fill: colour("card") } }, ...levels.map((l) => l.series)]);
  const bars = (name, tone) => ({ label: name, stroke: colour(tone), fill: colour(tone), value: shown(bytes),
    width: 1.5, points: { show: false }, paths: uPlot.paths.bars({ size: [0.4, 28], align: name === "up" ? -1 : 1 }) });
  const powers = Array.from({ length: 40 }, (_, k) => 2 ** k);
  const y = axis("bytes per round", { size: 76, incrs: powers, values: (_, splits) => splits.map((v) => bytes(v)) });
  draw("bytes", { y, range: (_, min, max) => [0, 1.08 * max] },
    [rounds, data.rounds.map((r) => r.bytesUp), data.rounds.map((r) => r.bytesDown)],
    [bars("up", "up"), bars("down", "down")]);
  if (data.drift) drawDrift(data.drift);
}

function drawDrift({ atMs, promotedMs, course }) {
  const zeroMs = atMs ?? course[0]?.fromMs ?? 0;
  const hours = (ms) => (ms - zeroMs) / 3600000;
  const times = course.map((point) => hours(point.fromMs));
  const values = course.map((point) => point.value);
  const [low, high] = [Math.min(...values.filter((v) => v != null)), Math.max(...values.filter((v) => v != null))];
  const mark = (name, ms, tone) => ms == null ? [] : [{ series: { label: name, stroke: colour(tone), fill: colour(tone),
    points: { show: false }, value: () => "", paths: uPlot.paths.bars({ size: [0.02, 3] }) },
    column: times.map((t, at) => t <= hours(ms) && hours(ms) < (times[at + 1] ?? Infinity) ? high : null) }];
  const marks = [...mark("drift", atMs, "local"), ...mark("promoted", promotedMs, "naive")];
  draw("drift", { y: axis(data.metric + " of predictions", { size: 56 }), range: [low - 0.05 * (high - low || 1), high],
    x: atMs == null ? "hours" : "hours since the drift", xs: [3, (_, splits) => splits], name: "hour" },
    [times, values, ...marks.map((m) => m.column)],
    [{ label: "as predicted", stroke: colour("federated"), width: 2, points: { show: false }, value: shown(number) },
      ...marks.map((m) => m.series)]);
}

drawAll();
addEventListener("resize", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
`;
