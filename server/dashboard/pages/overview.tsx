// One glance: is my fleet well?

import { filterDevices } from "../device-filter.js";
import { bytes, many, number, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, outcomeShade, Section } from "../parts/bits.js";
import { Chart } from "../parts/chart.js";
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
      {state.status.trial === undefined ? null : <TrialCard trial={state.status.trial} nowMs={serverNow()} />}
      <div class="columns">
        <Curve state={state} />
        <OpenRound state={state} />
      </div>
    </>
  );
}

function Numbers({ state: { status, devices } }: { readonly state: LiveState }) {
  const { fleet, broker, trainRounds, trainRoundsMax, stable, stableValue, metric } = status;
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
        [
          "train rounds",
          <>
            <b>{trainRounds}</b> of {trainRoundsMax}
          </>,
        ],
        ["version in service", <b>{stable === 0 ? "none yet" : stable}</b>],
        [`its ${metric}`, <b>{number(stableValue)}</b>],
        [
          "received / sent",
          <>
            <b>{bytes(broker.bytesUp)}</b> / {bytes(broker.bytesDown)}
          </>,
        ],
      ]}
    />
  );
}

function Curve({ state: { rounds, status } }: { readonly state: LiveState }) {
  const { metric } = status;
  const measured = rounds.filter(({ metrics }) => metrics?.[metric] !== undefined).toReversed();
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

function OpenRound({ state: { status, members, rounds } }: { readonly state: LiveState }) {
  const { open, finished } = status;
  if (open === undefined) {
    const last = rounds[0];
    return (
      <Section title="No open round">
        <Empty>
          {finished === undefined
            ? "The next one opens when enough devices can train."
            : `Training is over: ${finished}.`}
        </Empty>
        {last === undefined ? null : (
          <p>
            Round <a href={`#/rounds/${last.round}`}>{last.round}</a>{" "}
            <Badge shade={outcomeShade[last.outcome]}>{last.outcome}</Badge>
          </p>
        )}
      </Section>
    );
  }
  const nowMs = serverNow();
  const accepted = members.filter(({ status: word }) => word === "accepted").length;
  const left = open.isClosing ? "closing" : `${span(open.deadlineMs - nowMs)} left`;
  return (
    <Section title={`Round ${open.round}: ${open.kind}`} aside={left}>
      <p>
        {many(accepted, "update")} of {open.target} (quorum {open.quorum}) on version {open.baseVersion}
      </p>
      <progress value={accepted} max={open.target} aria-label="updates accepted" />
      <Timeline members={members} openedMs={open.openedMs} untilMs={nowMs} />
    </Section>
  );
}
