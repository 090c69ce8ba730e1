// How a task's candidates did against each other, in a report's page.

import { formatBytes } from "../../shared/task/units.js";
import { type Html, html } from "./html.js";
import type { RunReport } from "./schema.js";
import { renderTable } from "./table.js";

type Selection = NonNullable<RunReport["selection"]>;
type Candidate = Selection["candidates"][number];

/** A section with a line for each candidate, and one for each comparison; nothing for a task without candidates. */
export function renderSelection(selection: RunReport["selection"]): Html {
  if (selection === null) return html``;
  const { metric, candidates, excluded } = selection;
  return html`<section><h2>Candidates</h2><p class="quiet">${standing(selection)}</p>${renderTable(
    ["candidate", metric, "worst tenth", "time per row", "params", "bytes", "rounds", "fate"],
    [
      ...candidates.map((candidate) => line(candidate, selection)),
      ...excluded.map(({ name, reason }) => [name, "", "", "", "", "", 0, `not tried: ${reason}`]),
    ],
    "None yet.",
  )}<h3>Comparisons</h3>${renderTable(
    ["after rounds", "candidate", "version", metric, "worse by", "95 % interval", "devices", "rows"],
    candidates
      .flatMap(comparisons)
      .toSorted((a, b) => a.rounds - b.rounds)
      .map(({ cells }) => cells),
    "None yet.",
  )}</section>
`;
}

function standing({ winner, rung, rungs, metric }: Selection): string {
  const told = `Compared by ${metric} on the same held-out rows after ${rungs.join(", ")} train rounds each.`;
  return winner === undefined
    ? `${told} ${rung} of ${rungs.length} comparisons made.`
    : `${told} ${winner} was selected.`;
}

function line(
  { name, value, worst, latencyUs, parameters, bytes, rounds, out }: Candidate,
  { winner }: Selection,
) {
  const fate = name === winner ? "selected" : (out ?? "in");
  const time = latencyUs === undefined ? "" : `${shown(latencyUs)} µs`;
  return [name, shown(value), shown(worst), time, parameters, formatBytes(bytes), rounds, fate];
}

function comparisons({ name, comparisons: all }: Candidate) {
  return all.map(({ rounds, version, value, behind, devices, rows }) => {
    const interval = behind === undefined ? "" : `${shown(behind.low)} to ${shown(behind.high)}`;
    return {
      rounds,
      cells: [rounds, name, version, shown(value), shown(behind?.mean), interval, devices, rows],
    };
  });
}

function shown(value: number | undefined): string {
  return value === undefined ? "" : String(Number(value.toPrecision(4)));
}
