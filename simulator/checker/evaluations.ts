// The checker's own arithmetic on evaluations: every accepted update counts once, with the sums it brought, and what
// is pooled is all of them together.

import type { MetricSums } from "../../shared/model/metric.js";
import type { Row } from "../../shared/storage/port.js";
import type { Disk } from "../disk.js";
import type { Ledger, LedgerUpdate } from "./ledger.js";
import { isNear } from "./versions.js";
import type { Violations } from "./violations.js";

const sumNames = ["rows", "squaredError", "absoluteError", "loss", "correct"] as const;
const decisionNames = ["truePositives", "falsePositives", "falseNegatives"] as const;

// Every sum by name; a score that counts no decisions has none.
function sumsOf(sums: MetricSums): ReadonlyMap<string, number> {
  return new Map<string, number>([
    ...sumNames.map((name) => [name, sums[name]] as const),
    ...decisionNames.map((name) => [name, sums.confusion?.[name] ?? 0] as const),
  ]);
}

interface DeviceSums {
  readonly device: LedgerUpdate["device"];
  readonly sums: MetricSums;
}

/** All evaluations that are stored. */
export class Evaluations {
  readonly #journal: Disk;
  readonly #ledger: Ledger;
  readonly #violations: Violations;
  readonly #rounds = new Set<number>();
  #last = 0;

  constructor(journal: Disk, ledger: Ledger, violations: Violations) {
    this.#journal = journal;
    this.#ledger = ledger;
    this.#violations = violations;
  }

  /** True when the round has left an evaluation. */
  has(round: number): boolean {
    return this.#rounds.has(round);
  }

  /**
   * Checks what is new, after the ledger has read. `known` are updates seen before their rounds were over: the one
   * that ends a round is never seen by itself.
   */
  read(known: readonly LedgerUpdate[]): void {
    const rows = this.#journal.content.all(
      "SELECT round, pooled, per_device FROM evaluations WHERE round > ? ORDER BY round",
      this.#last,
    );
    for (const row of rows) this.#check(row, known);
  }

  #check({ round, pooled, per_device }: Row, known: readonly LedgerUpdate[]): void {
    this.#last = Number(round);
    this.#rounds.add(this.#last);
    // The server's own writing.
    const perDevice = JSON.parse(String(per_device)) as readonly DeviceSums[];
    this.#expectEachOnce(this.#last, perDevice);
    this.#expectPooled(this.#last, JSON.parse(String(pooled)) as MetricSums, perDevice);
    for (const { device, sums } of perDevice) {
      const update = known.find(({ header }) => header.device === device && header.round === this.#last);
      const brought = update?.header.evaluate;
      this.#violations.expect(
        brought == null || isSame(sums, brought),
        () => `round ${this.#last} counts other sums of ${device} than it brought`,
      );
    }
  }

  #expectEachOnce(round: number, perDevice: readonly DeviceSums[]): void {
    const counted = perDevice.map(({ device }) => device).sort();
    const accepted = [...this.#ledger.acceptedIn(round).keys()].sort();
    this.#violations.expect(
      counted.join() === accepted.join(),
      () => `round ${round} has accepted updates of ${accepted} and counts ${counted}`,
    );
  }

  #expectPooled(round: number, pooled: MetricSums, perDevice: readonly DeviceSums[]): void {
    for (const [name, value] of sumsOf(pooled)) {
      const sum = perDevice.reduce((total, { sums }) => total + sumsOf(sums).get(name)!, 0);
      this.#violations.expect(
        isNear(value, sum),
        () => `round ${round} has pooled ${name} ${value}, its devices have ${sum}`,
      );
    }
  }
}

function isSame(a: MetricSums, b: MetricSums): boolean {
  const others = sumsOf(b);
  return [...sumsOf(a)].every(([name, value]) => isNear(value, others.get(name)!));
}
