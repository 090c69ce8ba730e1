// Who is in a trial: decided by the device from the release alone, and foreseen by the server from the same numbers.

import type { DeviceId } from "../id.js";
import { sha256Hex } from "../task/canonical.js";
import type { Labels, Trial } from "./message.js";

/** Places there are. A trial below this many reaches all. */
export const TRIAL_PLACES = 2 ** 32;

/** Where a device stands among all under this salt: an integer from 0 on, below `TRIAL_PLACES`, evenly spread. */
export function trialPlace(salt: string, device: DeviceId): number {
  return Number.parseInt(sha256Hex(`${salt}|${device}`).slice(0, 8), 16);
}

/** True when a device with these labels takes part. */
export function isInTrial(
  { salt, below, labels: wanted }: Pick<Trial, "salt" | "below" | "labels">,
  device: DeviceId,
  labels: Labels,
): boolean {
  return hasLabels(labels, wanted) && trialPlace(salt, device) < below;
}

/** True when `labels` has everything of `wanted`. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
