// The version that a device serves, with its task and the rows it judges by: for whoever scores as the device would.

import { HeadwaterError } from "../../shared/error.js";
import { newestOf } from "../examples/store.js";
import { ModelCache } from "../model/cache.js";
import type { ScoringModel } from "../offline/score.js";
import { type FolderView, taskOf } from "./folder.js";

/** What the device would serve after a start. Throws `data-missing` before it has a version. */
export function servedVersion(view: FolderView): ScoringModel {
  const { loaded, device } = taskOf(view);
  const kept = new ModelCache(view.state).read("stable");
  if (kept === undefined)
    throw new HeadwaterError("data-missing", `device ${device} has no version to serve yet`);
  return { loaded, ...kept, heldOut: (limit) => newestOf(view.telemetry, "validation", limit) };
}
