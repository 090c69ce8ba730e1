// Curves of everything that evaluate rounds measured.

import type { MetricPointsView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { digits } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Empty, Pending, Section, Table } from "../parts/bits.js";
import { Chart } from "../parts/chart.js";

const POINTS_IN_TABLE = 50;

export function Metrics({ state }: { readonly state: LiveState }) {
  const newest = state.rounds.find(({ metrics }) => metrics !== undefined)?.round ?? 0;
  const answer = useAnswer<MetricPointsView>("/api/metrics?limit=2000", newest);
  if (answer.kind !== "known") return <Pending answer={answer} />;
  // Candidates side by side are no points of one curve; they are on the page of models.
  const points = answer.value.points.filter(({ candidates = [] }) => candidates.length < 2);
  const names = [...new Set(points.flatMap(({ metrics }) => Object.keys(metrics)))];
  const rounds = points.map(({ round }) => round);
  return (
    <>
      <h1>Metrics</h1>
      <p class="quiet">Pooled over the devices that scored each version on data they never train on.</p>
      {points.length === 0 ? <Empty>No version has been measured yet.</Empty> : null}
      <div class="columns">
        {names.map((name) => (
          <Section key={name} title={name}>
            <Chart label={name} rounds={rounds} values={points.map(({ metrics }) => metrics[name])} />
          </Section>
        ))}
      </div>
      {points.length === 0 ? null : (
        <Section title="In numbers">
          <Table
            caption="Measurements, newest first"
            head={["round", "version", ...names]}
            numbers={["version", ...names]}
            rows={points
              .toReversed()
              .slice(0, POINTS_IN_TABLE)
              .map(({ round, version, metrics }) => ({
                key: round,
                cells: [round, version, ...names.map((name) => digits(metrics[name]))],
              }))}
          />
        </Section>
      )}
    </>
  );
}
