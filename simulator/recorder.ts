// Follows a federation by its facts and keeps what the report needs of every train round.

import type { DeviceFact } from "../device/fact.js";
import type { ServerFact } from "../server/fact.js";
import { Counters } from "../shared/counters.js";
import type { DeviceId } from "../shared/id.js";
import type { TrainSpec } from "../shared/task/task.js";
import type { Traffic } from "../shared/transport/memory.js";

/** A train round as it went, with everything from the end of the one before until the next one opened. */
export interface RecordedRound {
  /** Among rounds of all kinds. */
  readonly number: number;
  accepted: number;
  rejected: number;
  /** Version it made; undefined while open and when abandoned. */
  version: number | undefined;
  readonly before: Traffic;
  after: Traffic;
}

type Fact<Type extends ServerFact["type"]> = Extract<ServerFact, { type: Type }>;

const NO_TRAFFIC: Traffic = { up: 0, down: 0 };

/** Collects facts. */
export class Recorder {
  readonly rounds: RecordedRound[] = [];
  /** Local steps that went into accepted updates, per device. */
  readonly steps = new Map<DeviceId, number>();
  readonly adopted = new Set<DeviceId>();
  predictions = 0;
  /** Why devices would not work on rounds, or gave no update in the end. */
  readonly declined = new Counters();
  /** What became of the updates of all rounds, fit and evaluate included. */
  readonly updates = { accepted: 0, rejected: 0, duplicate: 0 };
  /** Train rounds that came to nothing. */
  abandoned = 0;
  /** The newest validation metric, by the devices' own word. */
  validation: number | undefined;
  /** The version that training began with. */
  firstVersion: number | undefined;
  /** The version that all devices were given last; undefined: none yet. */
  stable: number | undefined;
  /** How learning ended; where the fleet has learnt anew since, how it ended before. */
  finished: Fact<"finished"> | undefined;
  readonly #traffic: () => Traffic;
  readonly #plan: TrainSpec;
  readonly #onRound: () => void;
  /** Rejected before the first train round opened. */
  #rejectedEarly = 0;
  #completed: RecordedRound | undefined;

  /** `onRound` hears of each train round when it has closed. */
  constructor(options: {
    readonly plan: TrainSpec;
    readonly traffic: () => Traffic;
    readonly onRound: () => void;
  }) {
    this.#plan = options.plan;
    this.#traffic = options.traffic;
    this.#onRound = options.onRound;
  }

  onServerFact(fact: ServerFact): void {
    switch (fact.type) {
      case "round-opened":
        if (fact.kind === "train") this.#open(fact.round);
        return;
      case "update-accepted":
        this.#accept(fact);
        return;
      case "update-rejected":
        this.#reject();
        return;
      case "update-duplicate":
        this.updates.duplicate++;
        return;
      case "round-closed":
        this.#close(fact);
        return;
      case "version-published":
        if (fact.line === "head") this.#adoptHead(fact.manifest.version);
        else this.stable = fact.manifest.version;
        return;
      case "gate":
        this.validation = fact.value ?? this.validation;
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
    if (fact.type === "declined") this.declined.add(`declined.${fact.reason}`);
  }

  /** Nothing more will happen: what was sent until now belongs to the last round. */
  end(): void {
    const last = this.rounds.at(-1);
    if (last !== undefined) last.after = this.#traffic();
  }

  #open(number: number): void {
    this.end();
    const before = this.rounds.at(-1)?.after ?? NO_TRAFFIC;
    const rejected = this.#rejectedEarly;
    this.#rejectedEarly = 0;
    this.rounds.push({ number, accepted: 0, rejected, version: undefined, before, after: before });
  }

  #accept({ kind, device, examples }: Fact<"update-accepted">): void {
    this.updates.accepted++;
    if (kind !== "train") return;
    this.rounds.at(-1)!.accepted++;
    const { epochs, batch } = this.#plan;
    const steps = epochs * Math.ceil(examples / batch);
    this.steps.set(device, (this.steps.get(device) ?? 0) + steps);
  }

  #reject(): void {
    this.updates.rejected++;
    const last = this.rounds.at(-1);
    if (last === undefined) this.#rejectedEarly++;
    else last.rejected++;
  }

  #close({ round, outcome }: Fact<"round-closed">): void {
    const last = this.rounds.at(-1);
    if (last?.number !== round) return;
    this.#completed = outcome === "completed" ? last : undefined;
    if (outcome === "abandoned") this.abandoned++;
    this.#onRound();
  }

  // A completed round's version is published right after the round; any other head is the first or a way back.
  #adoptHead(version: number): void {
    this.firstVersion ??= version;
    if (this.#completed === undefined) return;
    this.#completed.version = version;
    this.#completed = undefined;
  }
}
