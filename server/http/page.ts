// The status page: one self-contained page that says what the API says. It works without its script, which only keeps
// it up to date.

import { formatBytes } from "../../shared/task/units.js";
import { Html, type HtmlValue, html } from "./html.js";
import { PAGE_SCRIPT, PAGE_STYLE } from "./page-assets.js";
import { roughTime } from "./rough-time.js";
import type { DeviceView, ModelView, OpenRoundView, RoundView, StatusView } from "./schema.js";

export interface PageContent {
  readonly status: StatusView;
  readonly rounds: readonly RoundView[];
  readonly models: readonly ModelView[];
}

/** Devices shown; a larger fleet is looked at through the API. */
const DEVICES_SHOWN = 200;

/** The page's text. */
export function renderPage({ status, rounds, models }: PageContent): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status.task} - Headwater</title>
<link rel="icon" href="data:,">
<noscript><meta http-equiv="refresh" content="10"></noscript>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<p id="trouble" role="status"></p>
<main>
${header(status)}
${overview(status)}
${openRound(status)}
${roundsSection(rounds)}
${modelsSection(models, status.nowMs)}
${devicesSection(status)}
${countersSection(status)}
</main>
<footer class="quiet"><p>Headwater ${status.version} &middot; <a href="/api/openapi.json">API</a></p></footer>
<script>${new Html(PAGE_SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

function header({ task, isReady, notReady, finished, nowMs, broker }: StatusView): Html {
  const state = isReady
    ? html`<span class="good">ready</span>`
    : html`<span class="bad">not ready: ${notReady}</span>`;
  const training = finished === undefined ? "training" : `training is over (${finished})`;
  return html`<header><h1>${task}</h1>
<p class="quiet">${state}, ${training}, ${broker.urls.join(", ")}, ${time(nowMs)}</p></header>`;
}

function overview({
  trainRounds,
  trainRoundsMax,
  head,
  stable,
  metric,
  stableValue,
  ...rest
}: StatusView): Html {
  const { fleet, broker } = rest;
  const facts: readonly (readonly [string, HtmlValue])[] = [
    ["train rounds", `${trainRounds} of ${trainRoundsMax}`],
    ["head version", head || "none yet"],
    ["stable version", stable || "none yet"],
    [`stable ${metric}`, stableValue === undefined ? "–" : stableValue.toPrecision(4)],
    ["devices connected", `${fleet.connected} of ${fleet.enrolled}`],
    ...(broker.bytesUp === undefined ? [] : [["received", formatBytes(broker.bytesUp)] as const]),
    ...(broker.bytesDown === undefined ? [] : [["sent", formatBytes(broker.bytesDown)] as const]),
  ];
  return html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function openRound({ open, nowMs }: StatusView): Html {
  if (open === undefined) return html`<section><h2>Open round</h2><p>None.</p></section>`;
  const { round, kind, baseVersion, members, quorum, target, deadlineMs, isClosing } = open;
  const accepted = members.filter(({ status }) => status === "accepted").length;
  const caption = `${kind} on version ${baseVersion}: ${accepted} of ${target} updates (quorum ${quorum}), ${
    isClosing ? "closing" : `${roughTime(deadlineMs - nowMs)} left`
  }`;
  return html`<section><h2>Open round ${round}</h2>${table(caption, ["device", "state"], members.map(memberRow))}</section>`;
}

const tones: Readonly<Record<OpenRoundView["members"][number]["status"], string>> = {
  assigned: "busy",
  accepted: "good",
  expired: "bad",
  declined: "bad",
  rejected: "bad",
};

function memberRow({ device, status }: OpenRoundView["members"][number]): readonly HtmlValue[] {
  return [device, html`<span class="${tones[status]}">${status}</span>`];
}

function roundsSection(rounds: readonly RoundView[]): Html {
  const head = ["round", "kind", "base", "outcome", "accepted", "rejected", "made", "measured", "closed"];
  const rows = rounds.map((round) => [
    ...[round.round, round.kind, round.baseVersion || "–"],
    html`<span class="${{ open: "busy", completed: "good", abandoned: "bad" }[round.outcome]}">${round.outcome}</span>`,
    round.accepted === undefined ? "–" : `${round.accepted} of ${round.members ?? 0}`,
    ...[round.rejected ?? "–", round.version ?? "–", describeMetrics(round.metrics), time(round.closedMs)],
  ]);
  return html`<section><h2>Recent rounds</h2>${table("newest first", head, rows)}</section>`;
}

function modelsSection(models: readonly ModelView[], nowMs: number): Html {
  const head = ["version", "from", "line", "measured", "size", "age", "content"];
  const rows = models.map((model) => [
    ...[model.version, model.parent || "–"],
    [model.isHead ? "head" : "", model.isStable ? "stable" : ""].filter((line) => line !== "").join(", "),
    describeMetrics(model.evaluation?.metrics),
    formatBytes(model.bytes),
    roughTime(nowMs - model.createdMs),
    html`<code>${model.sha256.slice(0, 12)}</code>`,
  ]);
  return html`<section><h2>Versions</h2>${table("kept on this server, newest first", head, rows)}</section>`;
}

function devicesSection({ devices, fleet, nowMs }: StatusView): Html {
  const head = ["device", "state", "can train", "examples", "serves", "heard", "rejected"];
  const shown = devices.slice(0, DEVICES_SHOWN);
  const caption =
    shown.length < devices.length
      ? `the first ${shown.length} by name; all are at /api/devices`
      : `${fleet.enrolled} enrolled, ${fleet.connected} connected`;
  const rows = shown.map((device) => deviceRow(device, nowMs));
  return html`<section><h2>Devices</h2>${table(caption, head, rows)}</section>`;
}

function deviceRow(device: DeviceView, nowMs: number): readonly HtmlValue[] {
  const { isConnected, isEnrolled, isEligible, reason, examples, stable, seenMs, rejected } = device;
  const state = isConnected
    ? html`<span class="good">connected</span>`
    : html`<span class="quiet">away</span>`;
  return [
    device.device,
    isEnrolled ? state : html`<span class="bad">not enrolled</span>`,
    seenMs === undefined ? "–" : isEligible ? "yes" : `no: ${reason ?? "no reason given"}`,
    `${examples.train} + ${examples.validation}`,
    stable ?? "–",
    seenMs === undefined ? "not yet" : `${roughTime(nowMs - seenMs)} ago`,
    Object.entries(rejected)
      .map(([why, count]) => `${why}: ${count}`)
      .join(", "),
  ];
}

function countersSection({ counters }: StatusView): Html {
  const rows = Object.entries(counters).map(([name, count]) => [html`<code>${name}</code>`, count]);
  return html`<section><h2>Counters</h2>${table("since the server started", ["what", "count"], rows)}</section>`;
}

function table(caption: string, head: readonly string[], rows: readonly (readonly HtmlValue[])[]): Html {
  if (rows.length === 0) return html`<p class="quiet">None yet.</p>`;
  const body = rows.map(([first, ...others]) => {
    return html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}</tr>\n`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${body}</tbody></table></div>`;
}

function describeMetrics(metrics: Readonly<Record<string, number>> | undefined): string {
  if (metrics === undefined) return "–";
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(", ");
}

function time(ms: number | undefined): HtmlValue {
  if (ms === undefined) return "–";
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}
