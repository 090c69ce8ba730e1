// How the task's candidates do against each other.

import type { SelectionView } from "../../http/schema.js";
import { candidatesInOrder } from "../candidates.js";
import { bytes, digits, micros, number } from "../format.js";
import { Badge, Section, Table } from "./bits.js";

type Candidate = SelectionView["candidates"][number];

/** All candidates, comparison by comparison: who goes on, who is out and why. */
export function SelectionCard({ selection }: { readonly selection: SelectionView }) {
  const { metric, rungs, rung, winner, excluded } = selection;
  const scored = rungs.map((rounds) => `after ${rounds}`);
  const state =
    winner === undefined ? `${rung} of ${rungs.length} comparisons made` : `${winner} is selected`;
  const head = [
    "candidate",
    "now",
    ...scored,
    "worse by",
    "worst tenth",
    "a row takes",
    "params",
    "size",
    "rounds",
  ];
  return (
    <Section title={`Candidates, by ${metric}`} aside={state}>
      <p class="quiet">
        Scored after so many train rounds each, on the same held-out rows. "Worse by" is against the last that
        was sure to go on, with its 95 % interval over devices; "worst tenth": nine of ten devices do as well
        or better.
      </p>
      <Table
        caption="Candidates, those that came furthest first"
        head={head}
        numbers={[...scored, "worst tenth", "a row takes", "params", "size", "rounds"]}
        rows={candidatesInOrder(selection).map((candidate) => ({
          key: candidate.name,
          cells: cells(candidate, selection),
        }))}
      />
      {excluded.map(({ name, reason }) => (
        <p key={name}>
          <b>{name}</b> is not tried: {reason}.
        </p>
      ))}
    </Section>
  );
}

function cells(candidate: Candidate, { winner, rungs }: SelectionView) {
  const { name, version, out, parameters, rounds, worst, latencyUs, comparisons } = candidate;
  return [
    // The versions of those that are out are kept no longer.
    version === 0 || out !== undefined ? <b>{name}</b> : <a href={`#/models/${version}`}>{name}</a>,
    <Fate candidate={candidate} winner={winner} />,
    ...rungs.map((_, at) => digits(comparisons.find(({ rung }) => rung === at + 1)?.value)),
    behind(comparisons.at(-1)?.behind),
    digits(worst),
    micros(latencyUs),
    number(parameters),
    bytes(candidate.bytes),
    rounds,
  ];
}

function Fate({ candidate, winner }: { readonly candidate: Candidate; readonly winner: string | undefined }) {
  if (candidate.name === winner) return <Badge shade="good">selected</Badge>;
  if (candidate.out === undefined) return <Badge shade="busy">in</Badge>;
  return (
    <>
      <Badge shade="quiet">out</Badge>
      <span class="why">{candidate.out}</span>
    </>
  );
}

function behind(gap: Candidate["comparisons"][number]["behind"]): string {
  if (gap === undefined) return "–";
  return `${digits(gap.mean, 2)} (${digits(gap.low, 2)} to ${digits(gap.high, 2)})`;
}
