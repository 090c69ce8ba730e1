// What the version on trial looks like to the dashboard; what devices report of their data is in drift-view.ts.

import type { Task } from "../../shared/task/task.js";
import { TRIAL_PLACES } from "../../shared/wire/trial.js";
import type { TrialEvidence } from "../round/event.js";
import type { ServerStatus } from "../status.js";
import { optional } from "./optional.js";
import type { TrialView } from "./schema.js";

/** The version on trial with what is known of it, undefined when there is none. */
export function trialView(
  { trial }: ServerStatus,
  { rollout }: Task,
  evidence?: TrialEvidence,
): TrialView | undefined {
  if (trial === undefined) return undefined;
  const { version, mode, step, below, sinceMs, failures, failed = [] } = trial;
  const { canary, guard } = rollout;
  return {
    ...{ version, mode, step: step + 1, sinceMs },
    steps: mode === "shadow" ? 1 : (canary?.steps.length ?? 1),
    share: below / TRIAL_PLACES,
    ...(mode === "canary" && canary !== undefined ? { labels: { ...canary.labels } } : {}),
    ...(failed.length > 0 ? { failed: failed.map((each) => ({ ...each })) } : {}),
    ...(failures > 0 ? { note: `${failures} of ${guard.failures} checks that end it have failed` } : {}),
    ...(evidence === undefined ? {} : { evidence: evidenceView(evidence) }),
  };
}

function evidenceView({ devices, reporting, failed, rows, labelled, value, reference }: TrialEvidence) {
  return { devices, reporting, failed, rows, labelled, ...optional({ value, reference }) };
}
