// One glance: is my fleet well?

import { filterDevices } from "../device-filter.js";
import { bytes, digits, many, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, outcomeShade, Section } from "../parts/bits.js";
import { Chart } from "../parts/chart.js";
import { SelectionCard } from "../parts/selection.js";
import { Timeline } from "../parts/timeline.js";
import { TrialCard } from "../parts/trial.js";
import { serverNow } from "../store.js";
import { assess } from "../wellness.js";

export function Overview({ state }: { readonly state: LiveState }) {
  const { tone, headline, concerns } = assess(state);
  return (
    <>
      <section class={`verdict ${tone}`} aria-live="polite">
        <h1>{headline}</h1>
        {concerns.length === 0 ? <p>Nothing needs attention.</p> : null}
        <ul>
          {concerns.map(({ text, href, tone: mark }) => (
            <li key={text} class={mark}>
              <a href={href}>{text}</a>
            </li>
          ))}
        </ul>
      </section>
      <Numbers state={state} />
      {state.status.trial === undefined ? null : (
        <TrialCard trial={state.status.trial} metric={state.status.metric} nowMs={serverNow()} />
      )}
      {state.status.selection === undefined || state.status.selection.winner !== undefined ? null : (
        <SelectionCard selection={state.status.selection} />
      )}
      <div class="columns">
        <Curve state={state} />
        <OpenRound state={state} />
      </div>
    </>
  );
}

function Numbers({ state: { status, devices } }: { readonly state: LiveState }) {
  const { fleet, broker, stable, stableValue, metric } = status;
  const eligible = filterDevices(devices, { text: "", show: "eligible", version: "" }).length;
  return (
    <Facts
      facts={[
        [
          "devices connected",
          <>
            <b>{fleet.connected}</b> of {devices.length}
          </>,
        ],
        ["can train now", <b>{eligible}</b>],
        progressOf(status),
        ["version in service", <b>{stable === 0 ? "none yet" : stable}</b>],
        [`its ${metric}`, <b>{digits(stableValue)}</b>],
        ["received", <b>{bytes(broker.bytesUp)}</b>],
        ["sent", <b>{bytes(broker.bytesDown)}</b>],
      ]}
    />
  );
}

/** How far training has come, whatever it is that is under way. */
function progressOf({ trainRounds, trainRoundsMax, retrainUntil, selection }: LiveState["status"]) {
  if (selection !== undefined && selection.winner === undefined) {
    return ["comparisons made", of(selection.rung, selection.rungs.length)] as const;
  }
  if (retrainUntil !== undefined) return ["learning anew", of(trainRounds, retrainUntil)] as const;
  // Those beyond the task's own were for learning anew.
  return [
    "train rounds",
    trainRounds > trainRoundsMax ? <b>{trainRounds}</b> : of(trainRounds, trainRoundsMax),
  ] as const;
}

function of(done: number, all: number) {
  return (
    <>
      <b>{done}</b> of {all}
    </>
  );
}

function Curve({ state: { rounds, status } }: { readonly state: LiveState }) {
  const { metric } = status;
  // Candidates side by side are no points of one curve.
  const measured = rounds
    .filter(({ metrics, candidates = [] }) => metrics?.[metric] !== undefined && candidates.length < 2)
    .toReversed();
  return (
    <Section title={`${metric} over rounds`} aside={<a href="#/metrics">all metrics</a>}>
      {measured.length === 0 ? (
        <Empty>No version has been measured yet.</Empty>
      ) : (
        <Chart
          label={metric}
          rounds={measured.map(({ round }) => round)}
          values={measured.map(({ metrics }) => metrics?.[metric])}
        />
      )}
    </Section>
  );
}

const FINISHED: Readonly<Record<string, string>> = {
  "max-rounds": "all rounds of the task are done",
  target: "its target is reached",
  patience: "it gets no better",
};

function OpenRound({ state: { status, members, rounds } }: { readonly state: LiveState }) {
  const { open, finished } = status;
  if (open === undefined) {
    const last = rounds[0];
    return (
      <Section title="No open round">
        <Empty>
          {finished === undefined
            ? "The next one opens when enough devices can train."
            : `Training is over: ${FINISHED[finished] ?? finished}.`}
        </Empty>
        {last === undefined ? null : (
          <p>
            The last was round <a href={`#/rounds/${last.round}`}>{last.round}</a>, {last.kind}, with{" "}
            {last.accepted ?? 0} of {many(last.members ?? 0, "device")}{" "}
            <Badge shade={outcomeShade[last.outcome]}>{last.outcome}</Badge>
          </p>
        )}
      </Section>
    );
  }
  const nowMs = serverNow();
  const accepted = members.filter(({ status: word }) => word === "accepted").length;
  const of = rounds.find(({ round }) => round === open.round)?.candidates ?? [];
  const left = open.isClosing ? "closing" : `${span(open.deadlineMs - nowMs)} left`;
  return (
    <Section
      title={`Round ${open.round}: ${open.kind}${of.length === 0 ? "" : ` ${of.join(", ")}`}`}
      aside={left}
    >
      <p>
        {many(accepted, "update")} of {open.target} (quorum {open.quorum}) on version {open.baseVersion}
      </p>
      <progress value={accepted} max={open.target} aria-label="updates accepted" />
      <Timeline members={members} kind={open.kind} openedMs={open.openedMs} untilMs={nowMs} />
    </Section>
  );
}
