// Follows a federation by its facts and keeps what the report needs of every train round.

import type { DeviceFact } from "../device/fact.js";
import type { ServerFact } from "../server/fact.js";
import { Counters } from "../shared/counters.js";
import type { DeviceId } from "../shared/id.js";
import type { Task, TrainSpec } from "../shared/task/task.js";
import type { Traffic } from "../shared/transport/memory.js";
import type { Manifest } from "../shared/wire/message.js";
import type { Progress } from "./progress.js";

/** A train round as it went, with everything from the end of the one before until the next one opened. */
export interface RecordedRound {
  /** Among rounds of all kinds. */
  readonly number: number;
  /** The candidate it trained, of a task that has some. */
  readonly arm: string | undefined;
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
  readonly adopted = new Set<DeviceId>();
  predictions = 0;
  /** Why devices would not work on rounds, or gave no update in the end. */
  readonly declined = new Counters();
  /** What became of the updates of all rounds, fit and evaluate included. */
  readonly updates = { accepted: 0, rejected: 0, duplicate: 0 };
  /** Train rounds that came to nothing; those of a selection no longer count once it is over. */
  abandoned = 0;
  /** The newest validation metric, by the devices' own word. */
  validation: number | undefined;
  /** The version that all devices were given last; undefined: none yet. */
  stable: number | undefined;
  /** How learning ended; where the fleet has learnt anew since, how it ended before. */
  finished: Fact<"finished"> | undefined;
  /** How candidates were compared, rung by rung, and which one is left. */
  readonly rungs: Fact<"selection-rung">[] = [];
  selected: Fact<"selected"> | undefined;
  /** The candidate each version is of, and the version that each one's training began with. */
  readonly #arms = new Map<number, string | undefined>();
  readonly #firstVersions = new Map<string | undefined, number>();
  /** Local steps that went into accepted updates, per candidate and device. */
  readonly #steps = new Map<string | undefined, Map<DeviceId, number>>();
  readonly #traffic: () => Traffic;
  readonly #task: Pick<Task, "train" | "candidates">;
  readonly #onRound: () => void;
  /** Rejected before the first train round opened. */
  #rejectedEarly = 0;
  /** The newest train round when a candidate was selected. */
  #selectedAfter = 0;
  #completed: RecordedRound | undefined;

  /** `onRound` hears of each train round when it has closed. */
  constructor(options: {
    readonly task: Pick<Task, "train" | "candidates">;
    readonly traffic: () => Traffic;
    readonly onRound: () => void;
  }) {
    this.#task = options.task;
    this.#traffic = options.traffic;
    this.#onRound = options.onRound;
  }

  onServerFact(fact: ServerFact): void {
    switch (fact.type) {
      case "round-opened":
        if (fact.kind === "train") this.#open(fact);
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
        if (fact.line === "head") this.#adoptHead(fact.manifest);
        else this.stable = fact.manifest.version;
        return;
      case "selection-rung":
        this.rungs.push(fact);
        return;
      case "selected":
        this.selected = fact;
        this.#selectedAfter = this.rounds.at(-1)?.number ?? 0;
        this.abandoned = 0;
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

  /** The version that training began with: that of a candidate, of a task that has some. */
  firstVersion(arm?: string): number | undefined {
    return this.#firstVersions.get(arm);
  }

  /** Local steps that went into accepted updates of a model, per device. */
  stepsOf(arm: string | undefined): ReadonlyMap<DeviceId, number> {
    return this.#steps.get(arm) ?? new Map();
  }

  /** How far training has come, for whoever watches. */
  progress(): Extract<Progress, { readonly stage: "round" }> {
    const { abandoned, validation, selected } = this;
    const arm = selected === undefined ? this.rounds.at(-1)?.arm : undefined;
    // The task's own rounds begin with the candidate that is left.
    const isCounted = (number: number) => selected === undefined || number > this.#selectedAfter;
    const counted = this.rounds.filter(({ number }) => isCounted(number));
    return { stage: "round", round: counted.length - abandoned, abandoned, validation, arm };
  }

  /** Nothing more will happen: what was sent until now belongs to the last round. */
  end(): void {
    const last = this.rounds.at(-1);
    if (last !== undefined) last.after = this.#traffic();
  }

  #open({ round: number, baseVersion }: Fact<"round-opened">): void {
    this.end();
    const arm = this.#arms.get(baseVersion);
    const before = this.rounds.at(-1)?.after ?? NO_TRAFFIC;
    const rejected = this.#rejectedEarly;
    this.#rejectedEarly = 0;
    this.rounds.push({ number, arm, accepted: 0, rejected, version: undefined, before, after: before });
  }

  #accept({ kind, device, examples }: Fact<"update-accepted">): void {
    this.updates.accepted++;
    if (kind !== "train") return;
    const round = this.rounds.at(-1)!;
    round.accepted++;
    const { epochs, batch } = this.#planOf(round.arm);
    const steps = epochs * Math.ceil(examples / batch);
    const byDevice = this.#steps.get(round.arm) ?? new Map<DeviceId, number>();
    byDevice.set(device, (byDevice.get(device) ?? 0) + steps);
    this.#steps.set(round.arm, byDevice);
  }

  #planOf(arm: string | undefined): TrainSpec {
    const { train, candidates } = this.#task;
    return (arm === undefined ? undefined : candidates?.[arm]?.train) ?? train;
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
  #adoptHead({ version, arm }: Manifest): void {
    this.#arms.set(version, arm);
    if (!this.#firstVersions.has(arm)) this.#firstVersions.set(arm, version);
    if (this.#completed === undefined) return;
    this.#completed.version = version;
    this.#completed = undefined;
  }
}
