// Watches a federation and finds what must never happen. It decides nothing and knows no scenario: it reads facts,
// the server's database and the clock, after every event.

import type { DeviceFact } from "../../device/fact.js";
import type { ServerFact } from "../../server/fact.js";
import type { ServerStatus } from "../../server/status.js";
import type { DeviceId } from "../../shared/id.js";
import type { Task } from "../../shared/task/task.js";
import type { Federation, PartyId } from "../federation.js";
import { Evaluations } from "./evaluations.js";
import { Ledger, type LedgerUpdate } from "./ledger.js";
import { RoundWatch } from "./rounds.js";
import { type IsIn, type Oracle, ServingWatch } from "./serving.js";
import { type StoredVersion, Versions } from "./versions.js";
import { Violations } from "./violations.js";

/** What a checker needs of a federation. */
export type Watched = Pick<Federation, "party" | "server" | "clock">;

/** What is checked. */
export interface CheckerOptions {
  readonly federation: Watched;
  readonly task: Task;
  /** What versions must answer. */
  readonly oracle: Oracle;
  /** Who is in trials. */
  readonly isIn: IsIn;
}

interface OverRound {
  readonly round: number;
  readonly updates: readonly LedgerUpdate[];
}

/** Checks one federation, from its start. */
export class Checker {
  readonly #federation: Watched;
  readonly #violations = new Violations();
  readonly #ledger: Ledger;
  readonly #versions: Versions;
  readonly #evaluations: Evaluations;
  readonly #rounds: RoundWatch;
  readonly #serving: ServingWatch;
  /** Rounds with accepted updates that are over -> whether anything came of them. */
  readonly #results = new Map<number, boolean>();
  /** Of the server's disk, when its content and the server's own word were last read. */
  #revision = -1;
  #statusRevision = -1;
  #status: ServerStatus | undefined;

  constructor({ federation, task, oracle, isIn }: CheckerOptions) {
    const { journal } = federation.party("server").disks;
    this.#federation = federation;
    this.#ledger = new Ledger(journal!, this.#violations);
    this.#versions = new Versions(journal!, task, this.#violations);
    this.#evaluations = new Evaluations(journal!, this.#ledger, this.#violations);
    this.#rounds = new RoundWatch(this.#violations, task.rounds);
    this.#serving = new ServingWatch({
      ...{ versions: this.#versions, violations: this.#violations, oracle, isIn },
    });
  }

  /** What has been found wrong so far. */
  get violations(): readonly string[] {
    return this.#violations.list;
  }

  /** The server's last word on where it stands. */
  get status(): ServerStatus | undefined {
    return this.#status;
  }

  onServerFact(fact: ServerFact): void {
    this.#read();
    if (fact.type === "round-opened") this.#rounds.opened(fact);
    if (fact.type === "retraining") this.#rounds.learnsAnew();
    if (fact.type === "round-closed") this.#checkClosed(fact);
  }

  onDeviceFact(device: DeviceId, fact: DeviceFact): void {
    this.#read();
    this.#serving.see(device, fact);
    if (fact.type === "receipt") {
      const { updateId, status, reason } = fact;
      this.#ledger.hear(device, updateId, `${status} ${reason ?? ""}`.trim());
    }
  }

  onDeath(party: PartyId): void {
    if (party !== "server") this.#serving.died(party);
  }

  afterEach(): void {
    this.#read();
    this.#readStatus();
    const { hasStarted, disks } = this.#federation.party("server");
    this.#rounds.pass({
      nowMs: this.#federation.clock.now(),
      isUp: hasStarted,
      isDiskFull: disks.journal!.isFull,
    });
  }

  #read(): void {
    const { revision } = this.#federation.party("server").disks.journal!;
    if (revision === this.#revision) return;
    this.#revision = revision;
    const made = this.#versions.read();
    const overs = this.#ledger.read();
    this.#evaluations.read(overs.flatMap(({ updates }) => updates));
    for (const over of overs) this.#results.set(over.round, this.#checkResult(over, made[0]));
  }

  /** Of a round that is over. True if it has left a version or an evaluation; else it was abandoned. */
  #checkResult(over: OverRound, made: StoredVersion | undefined): boolean {
    const { round, updates } = over;
    if (updates[0]?.header.kind === "evaluate") return this.#evaluations.has(round);
    if (made !== undefined) this.#versions.check(round, updates, made);
    return made !== undefined;
  }

  #readStatus(): void {
    const { disks, hasStarted } = this.#federation.party("server");
    const { revision } = disks.journal!;
    if (!hasStarted || revision === this.#statusRevision) return;
    this.#statusRevision = revision;
    const before = this.#status?.head ?? 0;
    this.#status = this.#federation.server.status();
    const { head } = this.#status;
    this.#violations.expect(head >= before, () => `head went back from version ${before} to ${head}`);
    this.#rounds.see(this.#status.open);
    this.#serving.release(this.#status);
  }

  #checkClosed({ round, outcome, folded }: Extract<ServerFact, { type: "round-closed" }>): void {
    const hasResult = this.#results.get(round);
    this.#violations.expect(
      hasResult === undefined || hasResult === (outcome === "completed"),
      () => `round ${round} is ${outcome} and has ${hasResult ? "a" : "no"} result`,
    );
    const accepted = this.#ledger.acceptedIn(round);
    const isComplete =
      folded.length === accepted.size &&
      folded.every(({ device, updateId }) => accepted.get(device) === updateId);
    this.#violations.expect(
      outcome === "abandoned" || isComplete,
      () => `round ${round} has accepted ${accepted.size} updates and folded ${JSON.stringify(folded)}`,
    );
  }
}
