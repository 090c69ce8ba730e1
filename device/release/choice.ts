// What a release asks of this device: what to serve, and what to score beside it.

import type { DeviceId } from "../../shared/id.js";
import type { Labels, Manifest, Release, Trial } from "../../shared/wire/message.js";
import { isInTrial } from "../../shared/wire/trial.js";

/** The part a device has in a release. */
export interface Choice {
  readonly stable: Manifest;
  /** Undefined: no trial, or not with this device. */
  readonly trial: Pick<Trial, "manifest" | "mode"> | undefined;
}

/** Who chooses. */
export interface Chooser {
  readonly device: DeviceId;
  readonly labels: Labels;
  /** True of a version that did not work here. */
  readonly hasFailed: (manifest: Manifest) => boolean;
}

/** Decided from the release alone, so that every device knows its part without being told. */
export function chooseFrom({ stable, trial }: Release, { device, labels, hasFailed }: Chooser): Choice {
  if (trial === null || hasFailed(trial.manifest) || !isInTrial(trial, device, labels)) {
    return { stable, trial: undefined };
  }
  const { manifest, mode } = trial;
  return { stable, trial: { manifest, mode } };
}
