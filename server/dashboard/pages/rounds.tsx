// Rounds, and what each device did in one.

import type { RoundDetailView, RoundView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { ago, moment, number, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, outcomeShade, Pending, Section, Table } from "../parts/bits.js";
import { Timeline } from "../parts/timeline.js";
import { serverNow } from "../store.js";

export function Rounds({ state }: { readonly state: LiveState }) {
  const nowMs = serverNow();
  const { rounds } = state;
  return (
    <>
      <h1>Rounds</h1>
      {rounds.length === 0 ? (
        <Empty>No round has opened yet: devices have to connect and gather examples.</Empty>
      ) : null}
      {rounds.length === 0 ? null : (
        <Table
          caption="Rounds, newest first"
          head={[
            "round",
            "kind",
            "base",
            "outcome",
            "accepted",
            "refused",
            "made",
            "measured",
            "took",
            "closed",
          ]}
          rows={rounds.map((round) => ({ key: round.round, cells: cells(round, nowMs) }))}
        />
      )}
    </>
  );
}

function cells(round: RoundView, nowMs: number) {
  const { openedMs, closedMs } = round;
  return [
    <a href={`#/rounds/${round.round}`}>{round.round}</a>,
    round.kind,
    round.baseVersion === 0 ? "–" : round.baseVersion,
    <Badge shade={outcomeShade[round.outcome]}>{round.outcome}</Badge>,
    round.accepted === undefined ? "–" : `${round.accepted} of ${round.members ?? 0}`,
    round.rejected ? <span class="reason">{round.rejected}</span> : "–",
    round.version === undefined ? "–" : <a href={`#/models/${round.version}`}>version {round.version}</a>,
    measured(round.metrics),
    openedMs === undefined ? "–" : span((closedMs ?? nowMs) - openedMs),
    closedMs === undefined ? "–" : ago(closedMs, nowMs),
  ];
}

export function measured(metrics: Readonly<Record<string, number>> | undefined): string {
  if (metrics === undefined) return "–";
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(", ");
}

export function RoundPage({ round, state }: { readonly round: number; readonly state: LiveState }) {
  const isOpen = state.status.open?.round === round;
  const known = state.rounds.find((each) => each.round === round);
  // Late updates are answered after the close, so it is asked for once more when the next round is there.
  const answer = useAnswer<RoundDetailView>(
    `/api/rounds/${round}`,
    `${known?.outcome} ${state.status.rounds}`,
  );
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const detail = answer.value;
  const members = isOpen ? state.members : detail.members;
  return (
    <>
      <p class="crumb">
        <a href="#/rounds">Rounds</a>
      </p>
      <h1>
        Round {round} <Badge shade={outcomeShade[detail.outcome]}>{detail.outcome}</Badge>
      </h1>
      <Facts
        facts={[
          ["kind", detail.kind],
          ["base version", detail.baseVersion || "–"],
          ["made", detail.version === undefined ? "–" : `version ${detail.version}`],
          ["accepted", members.filter(({ status }) => status === "accepted").length],
          ["refused", members.filter(({ status }) => status === "rejected").length],
          ["opened", moment(detail.openedMs)],
          ["closed", moment(detail.closedMs)],
        ]}
      />
      {detail.metrics === undefined ? null : <p>Measured: {measured(detail.metrics)}.</p>}
      <Section title="Devices">
        <Timeline members={members} openedMs={detail.openedMs} untilMs={detail.closedMs ?? serverNow()} />
      </Section>
    </>
  );
}
