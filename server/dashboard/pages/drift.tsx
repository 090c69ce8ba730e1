// Columns against devices: whose data is no longer what the model learned from.

import type { DriftView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { ago, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Empty, Pending, Table } from "../parts/bits.js";

export function Drift({ state }: { readonly state: LiveState }) {
  const answer = useAnswer<DriftView>("/api/drift", state.status.drift?.updatedMs ?? 0);
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const { columns, devices, total, silentAfterMs } = answer.value;
  return (
    <>
      <h1>Drift</h1>
      <p class="quiet">
        Each cell is a test statistic over its threshold: from 1 on, the column is no longer distributed as in
        training. Devices that drift most come first. One whose last report is older than{" "}
        {span(silentAfterMs)} is silent, and counts for nothing.
        {devices.length < total ? ` These are ${devices.length} of ${total}.` : ""}
      </p>
      {devices.length === 0 ? (
        <Empty>No reports yet. Devices send them when the task has a `monitor` part.</Empty>
      ) : (
        <Table
          caption="Drift by device and column"
          head={["device", ...columns]}
          rows={devices.map((device) => ({
            key: device.device,
            cells: [
              <>
                <a href={`#/devices/${encodeURIComponent(device.device)}`}>{device.device}</a>
                {device.isSilent ? (
                  <span class="quiet"> silent, {ago(device.reportedMs, state.status.nowMs)}</span>
                ) : null}
              </>,
              ...device.scores.map((score) => <Heat score={score} />),
            ],
          }))}
        />
      )}
    </>
  );
}

function Heat({ score }: { readonly score: number | null }) {
  if (score === null) return <span class="heat none">–</span>;
  const level = Math.min(4, Math.floor(score * 2));
  return <span class={`heat level-${level}`}>{score.toFixed(2)}</span>;
}
