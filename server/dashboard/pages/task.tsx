// What is learned, as its author wrote it, and what it costs.

import type { TaskView } from "../../http/schema.js";
import { useAnswer } from "../api.js";
import { bytes, span } from "../format.js";
import { Facts, Pending, Section, Table } from "../parts/bits.js";

export function TaskPage() {
  const answer = useAnswer<TaskView>("/api/task");
  if (answer.kind !== "known") return <Pending answer={answer} />;
  const task = answer.value;
  const warmUp =
    task.warmUpMs > 0 ? `${span(task.warmUpMs)}, ${task.warmUpRows} rows` : `${task.warmUpRows} rows`;
  return (
    <>
      <h1>{task.task}</h1>
      <Facts
        facts={[
          ["columns", task.columns.length],
          ["params", task.params.toLocaleString("en")],
          ["an update", bytes(task.bytesPerUpdate)],
          ["state of an entity", bytes(task.stateBytesPerEntity)],
          ["of it, unlabelled rows", bytes(task.pendingBytesPerEntity)],
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
          rows={task.parts.map((part, at) => ({
            key: at,
            cells: [
              part.where,
              part.name,
              part.columns || "–",
              bytes(part.stateBytes),
              part.warmUpMs > 0 ? span(part.warmUpMs) : `${part.warmUpRows} rows`,
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
