// How a version on trial fares.

import type { TrialView } from "../../http/schema.js";
import { digits, many, number, span } from "../format.js";
import { Badge, Section } from "./bits.js";

export interface TrialCardProps {
  readonly trial: TrialView;
  readonly metric: string;
  readonly nowMs: number;
}

export function TrialCard({ trial, metric, nowMs }: TrialCardProps) {
  const { version, mode, step, steps, sinceMs, note, failed = [] } = trial;
  return (
    <Section title={`Version ${version} on trial: ${mode}`} aside={`for ${span(nowMs - sinceMs)}`}>
      <p>
        Step {step} of {steps}, on {whomOf(trial)}
        {mode === "shadow" ? "; it answers nobody yet." : "."}{" "}
        {note === undefined ? null : <Badge shade="warn">{note}</Badge>}
      </p>
      <Evidence trial={trial} metric={metric} />
      <progress value={step} max={steps} aria-label={`step of the ${mode}`} />
      {failed.length === 0 ? null : (
        <ul>
          {failed.map(({ device, reason, detail }) => (
            <li key={device}>
              Does not work on {device}: {detail === "" ? reason : `${reason} (${detail})`}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function whomOf({ evidence, share, labels }: TrialView): string {
  const parts = [
    ...(evidence === undefined ? [] : [many(evidence.devices, "device")]),
    ...(evidence !== undefined || share === undefined
      ? []
      : [`${Math.round(share * 1000) / 10} % of the fleet`]),
    ...Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`),
  ];
  return parts.join(", ");
}

function Evidence({ trial: { evidence, version }, metric }: Omit<TrialCardProps, "nowMs">) {
  if (evidence === undefined) return null;
  const { devices, reporting, failed, labelled, value, reference } = evidence;
  return (
    <p>
      {value === undefined || labelled === 0 ? (
        "No labelled rows yet. "
      ) : (
        <>
          {metric} <b>{digits(value)}</b> of version {version}, <b>{digits(reference)}</b> of the one in
          service, over the same {number(labelled)} rows.{" "}
        </>
      )}
      <span class="quiet">
        {reporting} of {devices} report{failed > 0 ? `; it did not work on ${failed}` : ""}.
      </span>
    </p>
  );
}
