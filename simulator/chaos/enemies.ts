// Who is against a federation under chaos: enrolled devices that misbehave, a stranger, and whoever sits on the wire.

import { assert } from "../../shared/assert.js";
import type { Counters } from "../../shared/counters.js";
import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import { randomStream } from "../../shared/random.js";
import type { MemoryLink } from "../../shared/transport/memory-link.js";
import { type TapOptions, tapLink } from "../adversary/tap.js";
import { releaseTraitor } from "../adversary/traitor.js";
import { releaseVandal } from "../adversary/vandal.js";
import { type Federation, partyKeys } from "../federation.js";
import type { ChaosTask } from "./task.js";

/** What the enemies know. */
export interface EnemiesOptions {
  readonly seed: string;
  readonly task: ChaosTask;
  readonly victims: readonly DeviceId[];
  /** Counts what they did. */
  readonly counters: Counters;
  readonly isActive: () => boolean;
}

/** All enemies of one run. */
export class Enemies {
  /** Devices that have to be enrolled and run no agent. */
  readonly traitors: readonly DeviceId[] = [deviceNamed("traitor-1"), deviceNamed("traitor-2")];
  readonly #options: EnemiesOptions;

  constructor(options: EnemiesOptions) {
    this.#options = options;
  }

  /** A device's link, with somebody on the wire. */
  tap(
    link: MemoryLink,
    device: DeviceId,
    { clock, disconnect }: Pick<TapOptions, "clock" | "disconnect">,
  ): MemoryLink {
    const { seed, counters, isActive } = this.#options;
    const random = randomStream(seed, "tap", device, clock.now());
    return tapLink(link, { clock, disconnect, random, counters, isActive, replay: 0.03, corrupt: 0.01 });
  }

  /** Starts those who are clients of the broker themselves. */
  release({ clock, broker }: Federation): void {
    const { seed, task, victims, counters, isActive } = this.#options;
    const { loaded, columns } = task;
    const common = { task: loaded.task.task, clock, counters, isActive };
    for (const id of this.traitors) {
      const knowledge = { loaded, keys: partyKeys(seed, id), params: columns + 1, columns };
      const random = randomStream(seed, "adversary", id);
      releaseTraitor({ ...common, ...knowledge, id, random, link: broker.link() });
    }
    const id = deviceNamed("vandal");
    const random = randomStream(seed, "adversary", id);
    releaseVandal({ ...common, id, random, link: broker.link(), victims });
  }
}

/** The id; the name must be one. */
export function deviceNamed(name: string): DeviceId {
  const id = parseDeviceId(name);
  assert(id !== undefined, `${name} is no name of a device`);
  return id;
}
