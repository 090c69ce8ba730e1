// What is learned, as its author wrote it, and what it costs.

import type { SelectionView, TaskView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { bytes, many, number, span } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Facts, Pending, Section, Table } from "../parts/bits.js";

export function TaskPage({ state }: { readonly state: LiveState }) {
  const candidates = state.status.selection?.candidates ?? [];
  const answer = useAnswer<TaskView>("/api/task");
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const task = answer.value;
  const warmUp =
    task.warmUpMs > 0
      ? `${span(task.warmUpMs)}, ${many(task.warmUpRows, "row")}`
      : many(task.warmUpRows, "row");
  return (
    <>
      <h1>{task.task}</h1>
      <Facts
        facts={[
          ["columns", task.columns.length],
          ["params", extent(candidates, ({ parameters }) => parameters, number) ?? number(task.params)],
          ["an update", extent(candidates, (each) => each.bytes, bytes) ?? bytes(task.bytesPerUpdate)],
          ["state of an entity", bytes(task.stateBytesPerEntity)],
          ["of it, awaiting labels", bytes(task.pendingBytesPerEntity)],
          ["warm-up", warmUp],
        ]}
      />
      <Section title="Task">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <pre class="yaml" tabIndex={0}>
          {task.yaml}
        </pre>
      </Section>
      <Section title="Columns">
        <ol class="names">
          {task.columns.map((column) => (
            <li key={column}>{column}</li>
          ))}
        </ol>
      </Section>
      <Section title="Operators">
        <Table
          caption="Operators in the order rows pass them"
          head={["where", "operator", "columns", "state", "warm-up"]}
          numbers={["columns", "state", "warm-up"]}
          rows={task.parts.map((part, at) => ({
            key: at,
            cells: [
              part.where,
              part.name,
              part.columns || "–",
              bytes(part.stateBytes),
              part.warmUpMs > 0 ? span(part.warmUpMs) : many(part.warmUpRows, "row"),
            ],
          }))}
        />
      </Section>
      <Section title="Identity">
        <dl class="hashes">
          <dt>task</dt>
          <dd>{task.taskHash}</dd>
          <dt>pipeline</dt>
          <dd>{task.pipelineHash}</dd>
        </dl>
      </Section>
    </>
  );
}

type Candidates = SelectionView["candidates"];

/** From the least to the most of all candidates, undefined without. */
function extent(
  candidates: Candidates,
  of: (candidate: Candidates[number]) => number,
  say: (value: number) => string,
): string | undefined {
  if (candidates.length === 0) return undefined;
  const values = candidates.map(of);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? say(least) : `${say(least)} to ${say(most)}`;
}
