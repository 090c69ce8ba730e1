// What happens to the federation, as log lines.

import type { Logger } from "../../shared/log.js";
import type { ServerFact } from "../fact.js";

/**
 * Logs a fact under its name (`event`): at `warn` what somebody should look at, at `info` what an operator follows, at `debug` what
 * comes once per device and round.
 */
export function logFact(logger: Logger, fact: ServerFact): void {
  const { type: event, ...facts } = fact;
  const rest = { event, ...facts };
  switch (fact.type) {
    case "round-opened": {
      const { round, kind, baseVersion, cohort, deadlineMs } = fact;
      logger.info({ event, round, kind, baseVersion, cohort: cohort.length, deadlineMs }, "round opened");
      break;
    }
    case "round-closed": {
      const { round, kind, outcome, why, folded } = fact;
      logger.info({ event, round, kind, outcome, why, updates: folded.length }, "round closed");
      break;
    }
    case "version-published": {
      const { version, parent, bytes, sha256 } = fact.manifest;
      logger.info({ event, line: fact.line, version, parent, bytes, sha256 }, "version published");
      break;
    }
    case "evaluated": {
      const { version, pooled, perDevice } = fact;
      logger.info({ event, version, rows: pooled.rows, devices: perDevice.length }, "version evaluated");
      break;
    }
    case "update-rejected":
    case "quarantined":
    case "trial-failed":
      logger.warn(rest, sentences[fact.type]);
      break;
    case "gate":
      // No score is no verdict: without held-out rows on some device nothing is ever served.
      if (fact.value === undefined && !fact.passed)
        logger.warn(rest, "no device could score the version on held-out rows: it is not served");
      else logger.info(rest, sentences[fact.type]);
      break;
    case "finished":
    case "trial-started":
    case "retraining":
    case "selected":
    case "quarantine-lifted":
      logger.info(rest, sentences[fact.type]);
      break;
    case "selection-rung": {
      const { rung, best, arms } = fact;
      const values = Object.fromEntries(
        arms.map(({ arm, out, score }) => [arm, out ?? score?.value ?? null]),
      );
      logger.info({ event, rung, best, arms: values }, "candidates compared");
      break;
    }
    case "trial-checked":
      logger[fact.problems.length > 0 ? "info" : "debug"](rest, sentences[fact.type]);
      break;
    case "trial-ended":
      logger[fact.outcome === "promoted" ? "info" : "warn"](rest, sentences[fact.type]);
      break;
    case "reported": {
      const { drift, serving } = fact.report;
      logger.debug({ event, device: fact.device, version: serving?.version, ...drift }, "device reported");
      break;
    }
    case "member-replaced":
    case "update-accepted":
    case "update-duplicate":
      logger.debug(rest, sentences[fact.type]);
      break;
  }
}

const sentences = {
  "update-rejected": "update rejected",
  gate: "gate decided",
  finished: "training is over",
  "trial-started": "version on trial",
  "trial-failed": "version does not work on a device in its trial",
  "trial-checked": "trial checked",
  "trial-ended": "trial over",
  selected: "candidate selected",
  retraining: "the fleet learns anew",
  quarantined: "device left out of rounds",
  "quarantine-lifted": "device takes part again",
  "member-replaced": "member replaced",
  "update-accepted": "update accepted",
  "update-duplicate": "update sent again",
} as const;
