// How a version on trial fares.

import type { TrialView } from "../../http/schema.js";
import { span } from "../format.js";
import { Section } from "./bits.js";

export function TrialCard({ trial, nowMs }: { readonly trial: TrialView; readonly nowMs: number }) {
  const { version, mode, step, steps, share, labels, sinceMs, note, failed = [] } = trial;
  const whom = [
    ...(share === undefined ? [] : [`${Math.round(share * 1000) / 10} % of the fleet`]),
    ...Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`),
  ].join(", ");
  return (
    <Section title={`Version ${version} on trial: ${mode}`} aside={<a href="#/models">models</a>}>
      <p>
        Step {step} of {steps}, {whom === "" ? "chosen devices" : whom}, for {span(nowMs - sinceMs)}.
      </p>
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
      {note === undefined ? null : <p class="quiet">{note}</p>}
    </Section>
  );
}
