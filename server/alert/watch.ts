// Which facts are worth an operator's while. It only looks; how alerts get to people is a delivery's.

import type { ServerFact } from "../fact.js";
import type { Alert } from "./alert.js";

/** Gates that fail one after another until it is told; told once, until one passes. */
const GATE_FAILURES = 3;
/** Without a single device for this long, though some are enrolled. */
const NO_DEVICES_MS = 600_000;

/** The fleet at a moment. */
export interface FleetLook {
  /** As a clock's `elapsed`. */
  readonly elapsedMs: number;
  readonly enrolled: number;
  readonly connected: number;
  /** Times that the journal could not be written, since the start. */
  readonly journalFailures: number;
}

/** Turns what happens into alerts. */
export class AlertWatch {
  #gateFailures = 0;
  #journalFailures = 0;
  #aloneSinceMs: number | undefined;
  #isAloneTold = false;

  /** What a fact is worth. */
  hear(fact: ServerFact): Alert | undefined {
    switch (fact.type) {
      case "retraining":
        return describeRetraining(fact);
      case "quarantined":
        return describeQuarantine(fact);
      case "trial-ended":
        return fact.outcome === "rolled-back" ? describeRollback(fact) : undefined;
      case "gate":
        return this.#hearGate(fact);
      case "update-rejected":
        return fact.reason === "storage-full" ? storageFull("an update was refused") : undefined;
      default:
        return undefined;
    }
  }

  /** What the fleet is worth, now and then. */
  look({ elapsedMs, enrolled, connected, journalFailures }: FleetLook): readonly Alert[] {
    const alerts: Alert[] = [];
    if (journalFailures > this.#journalFailures) alerts.push(storageFull("the journal cannot be written"));
    this.#journalFailures = journalFailures;
    const isAlone = enrolled > 0 && connected === 0;
    this.#aloneSinceMs = isAlone ? (this.#aloneSinceMs ?? elapsedMs) : undefined;
    if (isAlone === this.#isAloneTold) return alerts;
    if (!isAlone) alerts.push(devicesBack(connected));
    else if (elapsedMs - (this.#aloneSinceMs ?? elapsedMs) < NO_DEVICES_MS) return alerts;
    else alerts.push(noDevices(enrolled));
    this.#isAloneTold = isAlone;
    return alerts;
  }

  #hearGate({ version, passed, value, reference }: Extract<ServerFact, { type: "gate" }>): Alert | undefined {
    this.#gateFailures = passed ? 0 : this.#gateFailures + 1;
    if (this.#gateFailures !== GATE_FAILURES) return undefined;
    return {
      ...{ kind: "gate-failing", severity: "warning", subject: String(version) },
      text: `${GATE_FAILURES} versions in a row have failed the gate, the last was ${version}. Devices keep what they serve.`,
      details: { version, value: value ?? null, reference: reference ?? null, failures: GATE_FAILURES },
    };
  }
}

type Fact<Type extends ServerFact["type"]> = Extract<ServerFact, { type: Type }>;

function describeRetraining({ reason, devices, share, sinceMs, rounds }: Fact<"retraining">): Alert {
  const why = {
    drift: `${devices} devices (${percent(share)}) drift`,
    limits: `${devices} devices (${percent(share)}) are beyond a limit`,
  }[reason];
  return {
    ...{ kind: "retraining", severity: "warning", subject: reason },
    text: `The fleet learns anew: ${why}.`,
    details: { reason, devices, share, sinceMs, rounds },
  };
}

function describeQuarantine({ device, reason }: Fact<"quarantined">): Alert {
  return {
    ...{ kind: "quarantined", severity: "warning", subject: device },
    text: `Device ${device} is left out of rounds (${reason}). Its sensors may need looking after.`,
    details: { device, reason },
  };
}

function describeRollback({ version, mode, step, reasons }: Fact<"trial-ended">): Alert {
  const why = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  return {
    ...{ kind: "rolled-back", severity: "warning", subject: String(version) },
    text: `Version ${version} was taken back from its ${mode} trial${why}. Devices serve the version before.`,
    details: { version, mode, step, reasons },
  };
}

function storageFull(what: string): Alert {
  return {
    ...{ kind: "storage-full", severity: "critical", subject: "" },
    text: `The server's disk has no room or is broken: ${what}. Nothing accepted is lost.`,
    details: { what },
  };
}

function noDevices(enrolled: number): Alert {
  return {
    ...{ kind: "no-devices", severity: "critical", subject: "" },
    text: `None of ${enrolled} devices has been connected for ${NO_DEVICES_MS / 60_000} minutes.`,
    details: { enrolled },
  };
}

function devicesBack(connected: number): Alert {
  return {
    ...{ kind: "devices-back", severity: "info", subject: "" },
    text: `Devices are connected again: ${connected} now.`,
    details: { connected },
  };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
