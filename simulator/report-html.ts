// A simulation's report as one HTML page: curves, comparison and numbers, nothing fetched from anywhere.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describeDrift } from "./loop/describe.js";
import { improvementPercent, otherMetrics, type RoundReport, type SimulationReport } from "./report.js";
import { REPORT_SCRIPT, REPORT_STYLE } from "./report-page.js";

/** The page, self-contained: it opens offline, from a mail or a build's artefacts. */
export function renderReport(report: SimulationReport): string {
  const plot = (name: string) =>
    readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), "utf8");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.task)} - Headwater</title>
<style>${plot("uPlot.min.css")}${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(report.task)}</h1>
<p class="quiet">${subtitle(report)}</p>
</header>
<div class="cards">${cards(report)}</div>
<section><h2>Quality of each round's model</h2><div id="metric"></div></section>
${driftSection(report)}<section><h2>Traffic</h2><div id="bytes"></div></section>
<section><h2>Rounds</h2>${roundsTable(report)}</section>
<section>${countersTable(report)}</section>
<footer>Model <code>${escapeHtml(report.modelHash)}</code></footer>
</main>
<script type="application/json" id="data">${embed(report)}</script>
<script>${plot("uPlot.iife.min.js")}</script>
<script>${REPORT_SCRIPT}</script>
</body>
</html>
`;
}

function subtitle({ devices, rounds, seed, engine, seconds, testRows, stopped }: SimulationReport): string {
  return escapeHtml(
    `${devices} devices, ${rounds.length} train rounds (ended: ${stopped}), ${testRows} test rows; ` +
      `seed ${seed}, ${engine}, ${seconds.toFixed(1)} s`,
  );
}

function cards(report: SimulationReport): string {
  const { metric, federated, localOnly, naive, naiveRule, diverged } = report;
  const local =
    diverged.length > 0
      ? card("local", "each device alone", null, `diverged: ${diverged.join(", ")}`)
      : card("local", "each device alone", localOnly, gain(report, localOnly, "not trained"));
  const others = otherMetrics(report);
  const note = others === "" ? "of the version the devices serve" : others;
  return [
    card("federated", `federated, ${metric}`, federated, note),
    local,
    card("naive", `naive: ${naiveRule}`, naive, gain(report, naive, "nothing to compare")),
  ].join("");
}

function card(tone: string, title: string, value: number | null, note: string): string {
  const shown = value === null ? "&ndash;" : formatValue(value);
  return (
    `<div class="card" style="--tone: var(--${tone})"><p class="quiet">${escapeHtml(title)}</p>` +
    `<b>${shown}</b><p class="quiet">${escapeHtml(note)}</p></div>`
  );
}

function gain({ metric, federated }: SimulationReport, reference: number | null, otherwise: string): string {
  if (reference === null) return otherwise;
  if (federated === null) return "federated has no value";
  const percent = improvementPercent(metric, federated, reference);
  if (percent === undefined) return "no percentage of nothing";
  return `federated is ${Math.abs(percent).toFixed(1)} % ${percent < 0 ? "worse" : "better"}`;
}

function driftSection({ drift, metric }: SimulationReport): string {
  if (drift === undefined) return "";
  const lines = describeDrift(drift, metric).map((line) => `<li>${escapeHtml(line)}</li>`);
  return `<section><h2>From drift to recovery</h2><div id="drift"></div><ul>${lines.join("")}</ul></section>\n`;
}

function roundsTable({ metric, rounds }: SimulationReport): string {
  const head = row("th", ["round", metric, "updates accepted", "rejected", "bytes up", "bytes down"]);
  return `<table class="numbers"><thead>${head}</thead><tbody>${rounds.map(roundRow).join("")}</tbody></table>`;
}

function roundRow({ round, value, accepted, rejected, bytesUp, bytesDown }: RoundReport): string {
  const shown = value === null ? "-" : formatValue(value);
  return row("td", [round, shown, accepted, rejected, group(bytesUp), group(bytesDown)]);
}

// Everything dropped, late or refused is counted: whoever wonders about a result looks here first.
function countersTable({ counters }: SimulationReport): string {
  const rows = (side: string, counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, count]) => row("td", [`${side}: ${name}`, group(count)]));
  const all = [...rows("server", counters.server), ...rows("devices", counters.devices)];
  const body =
    all.length === 0
      ? "<p>Nothing was dropped, late or refused.</p>"
      : `<table class="numbers"><tbody>${all.join("")}</tbody></table>`;
  return `<details><summary>Counters</summary>${body}</details>`;
}

function row(cell: "td" | "th", values: readonly (string | number)[]): string {
  return `<tr>${values.map((value) => `<${cell}>${escapeHtml(String(value))}</${cell}>`).join("")}</tr>`;
}

function formatValue(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function group(count: number): string {
  return count.toLocaleString("en-US");
}

// No text in the data may end the script element early.
function embed(report: SimulationReport): string {
  return JSON.stringify(report).replaceAll("<", "\\u003c");
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
