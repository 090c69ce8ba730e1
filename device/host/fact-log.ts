// What a device does, in its log: what an operator would ask about later.

import { unreachable } from "../../shared/assert.js";
import type { Logger } from "../../shared/log.js";
import type { DeviceFact } from "../fact.js";

/** Logs a fact under its name (`event`), at the level it deserves; predictions are too many for any. */
export function logFact(logger: Logger, fact: DeviceFact): void {
  const { type, ...facts } = fact;
  const fields = { event: type, ...facts };
  switch (type) {
    case "prediction":
      return;
    case "training":
      logger.info(fields, "working on a round");
      return;
    case "update-stored":
      logger.info(fields, "update stored until the server's receipt");
      return;
    case "task-adopted":
      logger.info(fields, "task adopted");
      return;
    case "serving":
      logger.info(fields, "serving a version");
      return;
    case "receipt":
      if (fact.status === "accepted") logger.info(fields, "update accepted");
      else logger.warn(fields, "update rejected");
      return;
    case "declined":
      logger.info(fields, "round declined");
      return;
    case "abandoned":
      logger.warn(fields, "round abandoned");
      return;
    case "release-followed":
      logger.info(fields, "following a release");
      return;
    case "version-failed":
      logger.error(fields, "version does not work here: back to the last good one");
      return;
    case "drift":
      if (fact.isDrifting) logger.warn(fields, "the data or the model's error drifts");
      else logger.info(fields, "nothing drifts any more");
      return;
    case "model-rejected":
      logger.warn(fields, "version not served");
      return;
    case "update-dropped":
      logger.warn(fields, "update dropped: the outbox is full of newer ones");
      return;
    default:
      unreachable(type);
  }
}
