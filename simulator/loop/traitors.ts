// Retraining gone wrong: a part of the fleet turns on the rest of it once the fleet learns anew.

import type { Trainer } from "../../device/train/trainer.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Task } from "../../shared/task/task.js";
import { poisonTrainer } from "../adversary/poisoner.js";

/** Enough to move a mean where they like, and less than half. */
const SHARE = 0.375;

/** How traitors train; everybody else trains as ever. Throws `task-invalid` for a task that never learns anew. */
export function plantTraitors(
  { task, monitor }: Task,
  devices: readonly DeviceId[],
  isActive: () => boolean,
): (trainer: Trainer, device: DeviceId) => Trainer {
  if (monitor?.retrain === undefined) {
    throw new HeadwaterError(
      "task-invalid",
      `${task} has no monitor.retrain: there is no retraining to poison`,
    );
  }
  const traitors = new Set(devices.slice(0, Math.ceil(SHARE * devices.length)));
  return (trainer, device) => (traitors.has(device) ? poisonTrainer(trainer, { isActive }) : trainer);
}
