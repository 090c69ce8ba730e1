// Rounds, and what each device did in one.

import type { RoundDetailView, RoundView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { ago, digits, moment, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, outcomeShade, Pending, Section, Table } from "../parts/bits.js";
import { Timeline } from "../parts/timeline.js";
import { serverNow } from "../store.js";

export function Rounds({ state }: { readonly state: LiveState }) {
  const nowMs = serverNow();
  const { rounds } = state;
  const hasCandidates = state.status.selection !== undefined;
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
            ...(hasCandidates ? ["candidate"] : []),
            "base",
            "outcome",
            "accepted",
            "refused",
            "made",
            "measured",
            "took",
            "closed",
          ]}
          rows={rounds.map((round) => ({ key: round.round, cells: cells(round, { nowMs, hasCandidates }) }))}
          numbers={["base", "accepted", "refused", "took"]}
        />
      )}
    </>
  );
}

function cells(
  round: RoundView,
  { nowMs, hasCandidates }: { readonly nowMs: number; readonly hasCandidates: boolean },
) {
  const { openedMs, closedMs, candidates = [] } = round;
  return [
    <a href={`#/rounds/${round.round}`}>{round.round}</a>,
    round.kind,
    ...(hasCandidates
      ? [candidates.length > 1 ? `${candidates.length} side by side` : (candidates[0] ?? "–")]
      : []),
    round.baseVersion === 0 ? "–" : round.baseVersion,
    <Badge shade={outcomeShade[round.outcome]}>{round.outcome}</Badge>,
    round.accepted === undefined ? "–" : `${round.accepted} of ${round.members ?? 0}`,
    round.rejected ? <span class="reason">{round.rejected}</span> : "–",
    round.version === undefined ? "–" : <a href={`#/models/${round.version}`}>version {round.version}</a>,
    // Of candidates side by side these are the first one's; all are on the page of models.
    candidates.length > 1 ? <a href="#/models">compared</a> : measured(round.metrics),
    openedMs === undefined ? "–" : span((closedMs ?? nowMs) - openedMs),
    closedMs === undefined ? "–" : ago(closedMs, nowMs),
  ];
}

export function measured(metrics: Readonly<Record<string, number>> | undefined): string {
  if (metrics === undefined) return "–";
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${digits(value)}`)
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
  const { candidates = [] } = detail;
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
          ...(candidates.length === 0 ? [] : [["candidates", candidates.join(", ")] as const]),
          ["base version", detail.baseVersion || "–"],
          [
            "made",
            detail.version === undefined ? (
              "–"
            ) : (
              <a href={`#/models/${detail.version}`}>version {detail.version}</a>
            ),
          ],
          ["accepted", members.filter(({ status }) => status === "accepted").length],
          ["refused", members.filter(({ status }) => status === "rejected").length],
          ["opened", moment(detail.openedMs)],
          ["closed", moment(detail.closedMs)],
        ]}
      />
      {detail.metrics === undefined ? null : (
        <p>
          Measured{candidates.length > 1 ? ` of ${candidates[0]}` : ""}: {measured(detail.metrics)}.
        </p>
      )}
      <Section title="Devices">
        <Timeline
          {...{ members, kind: detail.kind, openedMs: detail.openedMs }}
          untilMs={detail.closedMs ?? serverNow()}
        />
      </Section>
    </>
  );
}
