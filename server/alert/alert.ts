// What an operator is told without asking, and the JSON it is told in.

import type { TaskId } from "../../shared/id.js";

/** What may have happened. docs/monitoring.md says of each when. */
export const alertKinds = [
  "no-devices",
  "storage-full",
  "rolled-back",
  "gate-failing",
  "retraining",
  "quarantined",
  "devices-back",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** Somebody must act now, should look, or may want to know. */
export type Severity = "critical" | "warning" | "info";

export interface Alert {
  readonly kind: AlertKind;
  readonly severity: Severity;
  /** What it is about, beside its kind: two alerts of one kind and subject are the same alert. */
  readonly subject: string;
  /** One sentence for a person. */
  readonly text: string;
  /** The same for a program. */
  readonly details: Readonly<Record<string, string | number | readonly string[] | null>>;
}

/** An alert on its way. */
export interface RaisedAlert extends Alert {
  readonly task: TaskId;
  readonly raisedMs: number;
}

/** The body of a request, and of a message. `text` is what chat programs show. */
export function formatAlert({ kind, severity, text, details, task, raisedMs }: RaisedAlert): string {
  const time = new Date(raisedMs).toISOString();
  return JSON.stringify({ v: 1, kind, severity, task, time, text: `Headwater ${task}: ${text}`, details });
}
