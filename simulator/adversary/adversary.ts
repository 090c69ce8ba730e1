// What all adversaries have in common.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Random } from "../../shared/random.js";
import type { Link } from "../../shared/transport/port.js";

/** What any adversary stands on. */
export interface AdversaryOptions {
  readonly id: DeviceId;
  readonly task: TaskId;
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  /** Counts what it did. */
  readonly counters: Counters;
  readonly isActive: () => boolean;
}
