// What befalls a federation's machines: they crash, between events and in the middle of a write, their disks are full
// for a while, they are cut off. Drawn from one stream, in virtual time, until calm.

import { unreachable } from "../../shared/assert.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Random } from "../../shared/random.js";
import type { Federation, PartyId } from "../federation.js";
import type { FaultyNetwork } from "../network.js";
import { pick } from "../pick.js";

/** What mischief is done to. */
export interface MischiefOptions {
  readonly federation: Federation;
  readonly devices: readonly DeviceId[];
  readonly network: FaultyNetwork;
  readonly random: Random;
  /** Counts crashes. */
  readonly counters: Counters;
  /** Longest pause between two deeds. */
  readonly pauseMs: number;
}

const DOWN_MS = 40_000;
const FULL_MS = 40_000;
const CUT_MS = 60_000;
/** A crash point is among this many next writes. */
const WRITES = 6;

const deeds = ["crash", "crash-before-write", "crash-after-write", "disk-full", "cut"] as const;

/** Does one thing after the other. */
export class Mischief {
  readonly #options: MischiefOptions;
  #isOver = false;
  #isOnPurpose = false;

  constructor(options: MischiefOptions) {
    this.#options = options;
  }

  start(): void {
    const { federation, random, pauseMs } = this.#options;
    federation.clock.after(1 + random.integer(pauseMs), () => {
      if (this.#isOver) return;
      this.#strike();
      this.start();
    });
  }

  /** A party has died, of this or of that: it comes back after a while. */
  onDeath(party: PartyId): void {
    const { federation, random, counters } = this.#options;
    const who = party === "server" ? "server" : "device";
    counters.add(this.#isOnPurpose ? `crash.${who}` : `crash-at-write.${who}`);
    const downMs = random.integer(DOWN_MS);
    federation.clock.after(downMs, () => void federation.party(party).start());
  }

  /** No more of it; disks have room again. */
  calm(): void {
    const { federation, devices } = this.#options;
    this.#isOver = true;
    for (const party of ["server", ...devices] as const) {
      for (const disk of Object.values(federation.party(party).disks)) disk.setFull(false);
    }
  }

  #strike(): void {
    const { federation, devices, network, random } = this.#options;
    const deed = pick(deeds, random);
    const device = pick(devices, random);
    // The server is one among many, and the one that matters.
    const id: PartyId = random.uniform() < 0.3 ? "server" : device;
    const party = federation.party(id);
    switch (deed) {
      case "crash":
        this.#crash(party);
        break;
      case "crash-before-write":
        party.crashAt({ when: "before", write: 1 + random.integer(WRITES) });
        break;
      case "crash-after-write":
        party.crashAt({ when: "after", write: 1 + random.integer(WRITES) });
        break;
      case "disk-full":
        this.#fill(id);
        break;
      case "cut":
        network.cut(device, 1 + random.integer(CUT_MS));
        break;
      default:
        unreachable(deed);
    }
  }

  #crash(party: { crash(): void }): void {
    this.#isOnPurpose = true;
    party.crash();
    this.#isOnPurpose = false;
  }

  #fill(id: PartyId): void {
    const { federation, random } = this.#options;
    const disk = pick(Object.values(federation.party(id).disks), random);
    disk.setFull(true);
    federation.clock.after(1 + random.integer(FULL_MS), () => disk.setFull(false));
  }
}
