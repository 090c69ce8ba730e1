// A run's report as one page that opens offline, from a mail or a build's artefacts.

import { formatBytes } from "../../shared/task/units.js";
import { html } from "./html.js";
import { type Points, renderPlot } from "./plot.js";
import type { RunReport } from "./schema.js";
import { renderSelection } from "./selection.js";
import { renderTable } from "./table.js";

type Round = RunReport["rounds"][number];

/** Rounds in the table, the newest; the plots have all. */
const ROUNDS_IN_TABLE = 200;

/** The page. */
export function renderRunReport(report: RunReport): string {
  const { task, madeMs, rounds, versions, rejections, metric, selection } = report;
  const train = rounds.filter(({ kind, outcome }) => kind === "train" && outcome !== "open");
  const page = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${task} - Headwater</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${task}</h1>
<p class="quiet">${subtitle(report)} As of ${timeOf(madeMs)}.</p>
<section><h2>${metric}, as devices measured it</h2>${renderPlot({
    label: `${metric} of the newest version by round`,
    series: [{ name: metric, tone: "one", points: scores(rounds) }],
    as: "line",
  })}</section>
${renderSelection(selection)}<section><h2>Updates of each train round</h2>${renderPlot({
    label: "Updates accepted and rejected by train round",
    series: [
      { name: "accepted", tone: "one", points: train.map(({ round: x, accepted: y }) => ({ x, y })) },
      { name: "rejected", tone: "two", points: train.map(({ round: x, rejected: y }) => ({ x, y })) },
    ],
    as: "bars",
  })}</section>
<section><h2>Updates rejected, by reason</h2>${renderTable(
    ["reason", "updates"],
    Object.entries(rejections),
    "None, of the rounds whose receipts are kept.",
  )}</section>
<section><h2>Versions kept</h2>${renderTable(
    ["version", "made from", "bytes", "made", "content"],
    versions.map((each) => [
      ...[nameOf(each.version, report), each.parent, formatBytes(each.bytes), timeOf(each.createdMs)],
      each.sha256.slice(0, 12),
    ]),
    "None yet.",
  )}</section>
<section><h2>Rounds</h2>${renderTable(
    [
      "round",
      "kind",
      ...(selection === null ? [] : ["candidates"]),
      "outcome",
      "asked",
      "accepted",
      "rejected",
      metric,
    ],
    rounds
      .slice(-ROUNDS_IN_TABLE)
      .reverse()
      .map((round) => roundRow(round, selection !== null)),
    "None yet.",
  )}</section>
</main>
</body>
</html>`;
  return `<!doctype html>\n${page.text}\n`;
}

function subtitle({ rounds, devices, head, stable }: RunReport): string {
  const completed = rounds.filter(({ outcome }) => outcome === "completed").length;
  const { enrolled, drifting, quarantined } = devices;
  return (
    `${enrolled} devices enrolled, ${drifting} drift, ${quarantined} quarantined. ` +
    `${completed} of ${rounds.length} rounds completed. Newest version ${head}, served ${stable}.`
  );
}

function scores(rounds: readonly Round[]): Points {
  // Candidates side by side are no points of one curve.
  return rounds.flatMap(({ round, value, candidates }) =>
    value === null || candidates.length > 1 ? [] : [{ x: round, y: value }],
  );
}

function nameOf(version: number, { head, stable }: RunReport): string {
  const names = [...(version === head ? ["newest"] : []), ...(version === stable ? ["served"] : [])];
  return names.length === 0 ? String(version) : `${version} (${names.join(", ")})`;
}

function roundRow(
  { round, kind, outcome, members, accepted, rejected, value, candidates }: Round,
  hasCandidates: boolean,
) {
  // Side by side they are in a table of their own.
  const isOne = value !== null && candidates.length < 2;
  const shown = isOne ? String(Number(value.toPrecision(4))) : "";
  const of = hasCandidates ? [candidates.join(", ")] : [];
  return [round, kind, ...of, outcome, members, accepted, rejected, shown];
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ").concat(" UTC");
}

const STYLE = html`
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #fff; --ink: #1d2329; --quiet: #5d6873; --rule: #e2e5e8; --one: #0b6e99; --two: #c2571a; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --card: #1b2127; --ink: #e6eaee; --quiet: #98a4b0; --rule: #2d353d; --one: #5cc0e8; --two: #f0975c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; } h3 { font-size: .9rem; margin: 1rem 0 .3rem; }
.quiet, .legend { color: var(--quiet); margin: .2rem 0 1rem; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem 1.1rem; margin: 0 0 1rem; overflow-x: auto; }
svg { width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.rule { stroke: var(--rule); }
g.one { fill: var(--one); stroke: var(--one); } g.two { fill: var(--two); stroke: var(--two); }
polyline { fill: none; stroke-width: 2; } rect { stroke: none; }
.key { margin-right: 1rem; } .key.one { color: var(--one); } .key.two { color: var(--two); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); }
td:first-child, th:first-child { padding-left: 0; } .n { text-align: right; }
th { color: var(--quiet); font-weight: 500; }
`;
