// Follows a federation by its facts and keeps what the report needs of every train round.

import type { DeviceFact } from "../device/fact.js";
import type { ServerFact } from "../server/fact.js";
import type { DeviceId } from "../shared/id.js";
import type { Traffic } from "../shared/transport/memory.js";

/** A train round as it went. */
export interface RecordedRound {
  readonly number: number;
  accepted: number;
  rejected: number;
  /** Version it made; undefined while open and when abandoned. */
  version: number | undefined;
  readonly before: Traffic;
  after: Traffic;
}

/** Collects facts; `onRound` hears of each train round when it has closed. */
export class Recorder {
  readonly rounds: RecordedRound[] = [];
  /** Accepted train updates per device. */
  readonly contributions = new Map<DeviceId, number>();
  readonly adopted = new Set<DeviceId>();
  predictions = 0;
  /** The newest validation metric, by the devices' own word. */
  validation: number | undefined;
  firstVersion: number | undefined;
  finished: Extract<ServerFact, { type: "finished" }> | undefined;
  readonly #traffic: () => Traffic;
  readonly #onRound: () => void;

  constructor(options: {
    readonly traffic: () => Traffic;
    readonly onRound: () => void;
  }) {
    this.#traffic = options.traffic;
    this.#onRound = options.onRound;
  }

  onServerFact(fact: ServerFact): void {
    const last = this.rounds.at(-1);
    switch (fact.type) {
      case "round-opened":
        if (last !== undefined) last.after = this.#traffic();
        if (fact.kind === "train") this.#open(fact.round);
        return;
      case "update-accepted":
        this.#accept(fact);
        return;
      case "update-rejected":
        if (last !== undefined) last.rejected++;
        return;
      case "version-published":
        if (fact.line === "stable") return;
        this.firstVersion ??= fact.manifest.version;
        if (last !== undefined && last.version === undefined) last.version = fact.manifest.version;
        return;
      case "gate":
        this.validation = fact.value ?? this.validation;
        return;
      case "round-closed":
        if (last !== undefined) last.after = this.#traffic();
        if (last?.number === fact.round) this.#onRound();
        return;
      case "finished":
        this.finished = fact;
        return;
      default:
        return;
    }
  }

  onDeviceFact(device: DeviceId, fact: DeviceFact): void {
    if (fact.type === "task-adopted") this.adopted.add(device);
    if (fact.type === "prediction") this.predictions++;
  }

  #open(number: number): void {
    const before = this.#traffic();
    const nothing = { accepted: 0, rejected: 0, version: undefined };
    this.rounds.push({ number, ...nothing, before, after: before });
  }

  #accept({ kind, device }: Extract<ServerFact, { type: "update-accepted" }>): void {
    if (kind !== "train") return;
    this.rounds.at(-1)!.accepted++;
    this.contributions.set(device, (this.contributions.get(device) ?? 0) + 1);
  }
}
