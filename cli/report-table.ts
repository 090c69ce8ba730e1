// A simulation's result for a person: one small table.

import Table from "cli-table3";
import { formatBytes } from "../shared/task/units.js";
import { describeDrift } from "../simulator/loop/describe.js";
import { improvementPercent, otherMetrics, type SimulationReport } from "../simulator/report.js";
import { total } from "../simulator/summary.js";

/** The table's text, with a newline at its end. */
export function describeReport(report: SimulationReport): string {
  const { metric, federated, localOnly, naive, naiveRule, diverged } = report;
  const table = new Table({
    head: ["model", `test ${metric}`, "federated is better by"],
    style: { head: [], border: [] },
  });
  table.push(["federated", shown(federated), ""]);
  if (localOnly !== null || diverged.length > 0)
    table.push([
      loneName(report),
      loneValue(report),
      percent(improvementPercent(metric, federated, localOnly)),
    ]);
  table.push([`naive (${naiveRule})`, shown(naive), percent(improvementPercent(metric, federated, naive))]);
  const others = otherMetrics(report);
  const more = others === "" ? "" : `federated: ${others}\n`;
  const drift = report.drift === undefined ? "" : `${describeDrift(report.drift, metric).join("\n")}\n`;
  return `${table.toString()}\n${more}${describeCandidates(report)}${drift}${describeCosts(report)}\n`;
}

function describeCandidates({ selection }: SimulationReport): string {
  if (selection === undefined) return "";
  const table = new Table({
    head: [
      "candidate",
      `held-out ${selection.metric}`,
      "worst tenth",
      "us per row",
      "parameters",
      "rounds",
      "sent",
      "out",
    ],
    style: { head: [], border: [] },
  });
  for (const each of selection.candidates) {
    const { name, value, worst, latencyUs, parameters, rounds, bytesUp, bytesDown, out, isWinner } = each;
    const sent = formatBytes(bytesUp + bytesDown);
    const cells = [name, shown(value), shown(worst), shown(latencyUs), parameters ?? "-", rounds, sent];
    table.push([...cells, isWinner ? "selected" : (out ?? "")]);
  }
  return `${table.toString()}\n`;
}

function loneName({ devices, localDevices }: SimulationReport): string {
  return localDevices < devices
    ? `each device alone (${localDevices} of ${devices} took part)`
    : "each device alone";
}

function loneValue({ localOnly, localDevices, diverged }: SimulationReport): string {
  return diverged.length > 0 ? `diverged (${diverged.length} of ${localDevices} devices)` : shown(localOnly);
}

function describeCosts({ rounds, devices, testRows, seconds, engine, stopped }: SimulationReport): string {
  const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0);
  const rejected = rounds.reduce((sum, round) => sum + round.rejected, 0);
  return [
    `${devices} devices, ${rounds.length} rounds (${stopped}), ${accepted} updates accepted, ${rejected} rejected`,
    `${formatBytes(total(rounds, "bytesUp"))} up, ${formatBytes(total(rounds, "bytesDown"))} down, ${testRows} test rows`,
    `${seconds.toFixed(1)} s on ${engine}`,
  ].join("\n");
}

function shown(value: number | null): string {
  return value === null ? "-" : value.toPrecision(4);
}

function percent(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(1)} %`;
}
