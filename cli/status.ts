// `headwater status`: what a server's federation is doing, on a terminal.

import Table from "cli-table3";
import type { Command } from "commander";
import type { StatusView } from "../server/http/schema.js";
import { sleep, systemClock } from "../shared/clock.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { untilStopped } from "./until-stopped.js";

interface Options {
  readonly server: string;
  readonly once?: true;
  readonly json?: true;
}

const REFRESH_MS = 1_000;
const TIMEOUT_MS = 5_000;
/** Devices on a screen. */
const DEVICES_MAX = 30;
const CLEAR = "\x1b[H\x1b[2J";

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("status")
    .description("what a server's rounds and devices are doing, live on a terminal")
    .option("--server <url>", "the server's HTTP address", "http://127.0.0.1:8080")
    .option("--once", "show it once (always so without a terminal)")
    .option("--json", "print the API's answer once")
    .action((options: Options) => run(options));
}

async function run({ server, once, json }: Options): Promise<void> {
  if (json || once || !process.stdout.isTTY) {
    const status = await fetchStatus(server);
    process.stdout.write(json ? `${JSON.stringify(status)}\n` : describeStatus(status));
    return;
  }
  const end = new AbortController();
  void untilStopped().then(() => end.abort());
  while (!end.signal.aborted) {
    process.stdout.write(CLEAR + (await fetchStatus(server).then(describeStatus, messageOf)));
    await sleep(systemClock, REFRESH_MS, end.signal).catch(() => undefined);
  }
  process.stdout.write("\n");
}

async function fetchStatus(server: string): Promise<StatusView> {
  try {
    const response = await fetch(new URL("/api/status", server), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    // Our own server's answer: its schema is the type's source.
    return (await response.json()) as StatusView;
  } catch (cause) {
    throw new HeadwaterError("address-unusable", `no status from ${server}: ${reasonOf(cause)}`, { cause });
  }
}

// fetch hides why it failed in the cause.
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return messageOf(cause ?? error);
}

/** The status for a person. */
export function describeStatus(status: StatusView): string {
  const { task, version, isReady, notReady, broker, fleet, counters } = status;
  const state = isReady ? "ready" : `not ready: ${notReady ?? "starting"}`;
  return [
    `task ${task}, headwater ${version}, ${state}, ${broker.urls.join(" ")}`,
    `${fleet.connected} of ${fleet.enrolled} devices connected; ${describeProgress(status)}`,
    ...describeOpen(status),
    ...describeSelection(status),
    deviceTable(status),
    ...Object.entries(counters).map(([name, count]) => `${name}: ${count}`),
    "",
  ]
    .map(printable)
    .join("\n");
}

/** Devices and strangers choose some of these words: none may command the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => (character === "\n" ? "\n" : "?"));
}

function describeProgress({
  trainRounds,
  trainRoundsMax,
  head,
  stable,
  stableValue,
  metric,
  finished,
}: StatusView) {
  const value = stableValue === undefined ? "" : ` (${metric} ${stableValue.toPrecision(4)})`;
  const end =
    finished === undefined
      ? ""
      : `, finished: ${finished}${stable === 0 ? "; no version has passed the gate, so nothing is served" : ""}`;
  return `${trainRounds} of ${trainRoundsMax} rounds, head ${head}, stable ${stable}${value}${end}`;
}

function describeOpen({ open, nowMs, trainFromMs = 0 }: StatusView): string[] {
  if (open === undefined && trainFromMs > nowMs)
    return [`no round is open; the next one opens in ${describeRest(trainFromMs - nowMs)}`];
  if (open === undefined) return ["no round is open"];
  const { round, kind, members, target, deadlineMs } = open;
  const accepted = members.filter(({ status }) => status === "accepted").length;
  const leftS = Math.max(0, Math.round((deadlineMs - nowMs) / 1000));
  return [
    `round ${round} (${kind}): ${accepted} of ${target} updates, ${members.length} members, ${leftS} s left`,
  ];
}

function describeSelection({ selection }: StatusView): string[] {
  if (selection === undefined) return [];
  const { metric, rung, rungs, winner, candidates, excluded } = selection;
  const state = winner === undefined ? `${rung} of ${rungs.length} comparisons made` : `${winner} selected`;
  const table = new Table({
    head: ["candidate", metric, "worst tenth", "us per row", "parameters", "bytes", "rounds", "out"],
    style: { head: [], border: [] },
  });
  for (const { name, value, worst, latencyUs, parameters, bytes, rounds, out } of candidates) {
    table.push([name, shown(value), shown(worst), shown(latencyUs), parameters, bytes, rounds, out ?? ""]);
  }
  for (const { name, reason } of excluded) table.push([name, "-", "-", "-", "", "", 0, reason]);
  return [`candidates: ${state}`, table.toString()];
}

function shown(value: number | undefined): string {
  return value === undefined ? "-" : String(Number(value.toPrecision(4)));
}

/** Rough: seconds matter to nobody who waits for hours. */
function describeRest(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 2) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function deviceTable({ devices, nowMs, open }: StatusView): string {
  const table = new Table({
    head: ["device", "connected", "round", "serves", "examples", "seen", "why not"],
    style: { head: [], border: [] },
  });
  const members = new Map(open?.members.map((member) => [member.device, member]));
  for (const device of devices.slice(0, DEVICES_MAX)) {
    const { device: id, isConnected, stable, examples, seenMs, reason } = device;
    const seen = seenMs === undefined ? "-" : `${Math.max(0, Math.round((nowMs - seenMs) / 1000))} s ago`;
    const cells = [id, isConnected ? "yes" : "no", members.get(id)?.status ?? "-", stable ?? "-"];
    table.push([
      ...cells,
      `${examples.train} + ${examples.validation}`,
      seen,
      reason ?? members.get(id)?.reason ?? "",
    ]);
  }
  const more = devices.length - DEVICES_MAX;
  return more > 0 ? `${table.toString()}\nand ${more} more` : table.toString();
}
