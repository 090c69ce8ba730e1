// Columns against devices: whose data is no longer what the model learned from.

import type { DriftView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import type { LiveState } from "../live-state.js";
import { Empty, Pending, Table } from "../parts/bits.js";

/** Devices shown, those that drift most first. */
const DEVICES_MAX = 200;

export function Drift({ state }: { readonly state: LiveState }) {
  const answer = useAnswer<DriftView>("/api/drift", state.status.drift?.updatedMs ?? 0);
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const { columns, devices } = answer.value;
  const shown = devices.toSorted((a, b) => worst(b) - worst(a)).slice(0, DEVICES_MAX);
  return (
    <>
      <h1>Drift</h1>
      <p class="quiet">
        Each cell is a test statistic over its threshold: from 1 on, the column is no longer distributed as in
        training.
      </p>
      {shown.length === 0 ? (
        <Empty>No reports yet. Devices send them when the task has a `monitor` part.</Empty>
      ) : (
        <Table
          caption="Drift by device and column"
          head={["device", ...columns]}
          rows={shown.map((device) => ({
            key: device.device,
            cells: [
              <a href={`#/devices/${encodeURIComponent(device.device)}`}>{device.device}</a>,
              ...device.scores.map((score) => <Heat score={score} />),
            ],
          }))}
        />
      )}
    </>
  );
}

function worst({ scores }: DriftView["devices"][number]): number {
  return scores.reduce<number>((most, score) => Math.max(most, score ?? 0), 0);
}

function Heat({ score }: { readonly score: number | null }) {
  if (score === null) return <span class="heat none">–</span>;
  const level = Math.min(4, Math.floor(score * 2));
  return <span class={`heat level-${level}`}>{score.toFixed(2)}</span>;
}
