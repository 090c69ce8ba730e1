// How a task's candidates did against each other: what they answer, what they cost.

import type { Task } from "../shared/task/task.js";
import type { EndedRun } from "./ended-run.js";
import type { Recorder } from "./recorder.js";
import type { CandidateReport, SelectionReport } from "./report.js";

/** What the run's recorder has heard of it. */
export async function describeSelection(
  run: Pick<EndedRun, "recorder" | "version">,
  task: Task,
): Promise<SelectionReport> {
  const { recorder } = run;
  const candidates: CandidateReport[] = [];
  for (const name of Object.keys(task.candidates ?? {})) {
    const first = recorder.firstVersion(name);
    const parameters = first === undefined ? null : (await run.version(first)).params.length;
    candidates.push({ ...describeCandidate(recorder, name), parameters });
  }
  const metric = task.select?.metric ?? task.rollout.gate.metric;
  return { metric, winner: recorder.selected?.arm ?? null, candidates };
}

function describeCandidate(recorder: Recorder, name: string): Omit<CandidateReport, "parameters"> {
  const entries = recorder.rungs.flatMap(({ arms }) => arms.filter(({ arm }) => arm === name));
  const score = entries.findLast((entry) => entry.score !== null)?.score;
  const rounds = recorder.rounds.filter(({ arm }) => arm === name);
  const isTried = recorder.firstVersion(name) !== undefined;
  return {
    ...{ name, isWinner: name === recorder.selected?.arm },
    out: entries.find(({ out }) => out !== null)?.out ?? (isTried ? null : "beyond the limits"),
    rounds: score?.rounds ?? rounds.filter(({ version }) => version !== undefined).length,
    value: score?.value ?? null,
    worst: score?.worst ?? null,
    latencyUs: score?.latencyUs ?? null,
    bytesUp: rounds.reduce((sum, { before, after }) => sum + after.up - before.up, 0),
    bytesDown: rounds.reduce((sum, { before, after }) => sum + after.down - before.down, 0),
  };
}
