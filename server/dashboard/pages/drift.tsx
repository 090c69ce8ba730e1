// Columns against devices: whose data is no longer what the model learned from.

import type { DriftView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { ago, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Empty, Pending, Table } from "../parts/bits.js";
import { serverNow } from "../store.js";

/** As the API names the column that is none of the data: how the error of predictions goes. */
const ERROR_COLUMN = "(error)";

export function Drift({ state }: { readonly state: LiveState }) {
  const answer = useAnswer<DriftView>("/api/drift", state.status.drift?.updatedMs ?? 0);
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const { columns, devices, total, silentAfterMs } = answer.value;
  return (
    <>
      <h1>Drift</h1>
      <p class="quiet">
        How far each column has shifted from what the model learned from. From 1 on it drifts: the shift is
        large, and no accident. Devices that drift most come first; one without a report for{" "}
        {span(silentAfterMs)} is silent, and counts for nothing.
        {devices.length < total ? ` These are ${devices.length} of ${total}.` : ""}
      </p>
      {devices.length === 0 ? (
        <Empty>No reports yet. Devices send them when the task has a `monitor` part.</Empty>
      ) : (
        <>
          <Legend />
          <div class={columns.length > 8 ? "heat-map tall" : "heat-map"}>
            <Table
              caption="Drift by device and column"
              head={["device", ...columns.map(titleOf), "reported"]}
              rows={devices.map((device) => ({ key: device.device, cells: cells(device, columns) }))}
            />
          </div>
        </>
      )}
    </>
  );
}

function titleOf(column: string): string {
  return column === ERROR_COLUMN ? "predictions" : column;
}

function cells(
  { device, scores, reportedMs, isSilent }: DriftView["devices"][number],
  columns: readonly string[],
) {
  return [
    <a href={`#/devices/${encodeURIComponent(device)}`}>{device}</a>,
    ...scores.map((score, at) =>
      columns[at] === ERROR_COLUMN ? <ErrorHeat score={score} /> : <Heat score={score} />,
    ),
    <span class="quiet">
      {isSilent ? "silent, " : ""}
      {ago(reportedMs, serverNow())}
    </span>,
  ];
}

function Legend() {
  return (
    <p class="legend">
      <span class="heat level-0">0</span> as learned <span class="heat level-1">0.5</span> shifted{" "}
      <span class="heat level-2">1</span> <span class="heat level-4">2</span> drifts{" "}
      <span class="heat none">–</span> not tested, or too few rows yet
    </p>
  );
}

function Heat({ score }: { readonly score: number | null }) {
  if (score === null) return <span class="heat none">–</span>;
  return <span class={`heat level-${levelOf(score)}`}>{score.toFixed(2)}</span>;
}

/** A verdict and no statistic: the error is steady, grows, or has changed for good. */
function ErrorHeat({ score }: { readonly score: number | null }) {
  if (score === null) return <span class="heat none">–</span>;
  const word = score >= 1 ? "drift" : score > 0 ? "worse" : "steady";
  return <span class={`heat level-${levelOf(score)}`}>{word}</span>;
}

function levelOf(score: number): number {
  return Math.min(4, Math.floor(score * 2));
}
