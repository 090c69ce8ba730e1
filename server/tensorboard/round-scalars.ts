// A federation's curves: what each round brought, as TensorBoard's scalars. The step is the number of the round.

import { metricValues } from "../../shared/model/metric.js";
import type { OutputSpec } from "../../shared/task/task.js";
import type { EventWriter } from "../../shared/tensorboard/writer.js";
import type { ServerFact } from "../fact.js";

/** Bytes so far, between devices and the server. */
export interface Traffic {
  readonly up: number;
  readonly down: number;
}

export interface RoundScalarsOptions {
  readonly writer: Pick<EventWriter, "add">;
  readonly output: OutputSpec;
  /** As a clock's. */
  readonly elapsed: () => number;
  /** Undefined where a broker of others carries it. */
  readonly traffic: () => Traffic | undefined;
}

/** Of the open round. */
interface Open {
  readonly round: number;
  readonly startMs: number;
  readonly traffic: Traffic | undefined;
  examples: number;
  rejected: number;
}

/** Watches facts. */
export class RoundScalars {
  readonly #options: RoundScalarsOptions;
  #open: Open | undefined;
  #round = 0;

  constructor(options: RoundScalarsOptions) {
    this.#options = options;
  }

  observe(fact: ServerFact): void {
    const { writer, output, elapsed, traffic } = this.#options;
    switch (fact.type) {
      case "round-opened":
        this.#round = fact.round;
        this.#open = {
          ...{ round: fact.round, startMs: elapsed(), traffic: traffic(), examples: 0, rejected: 0 },
        };
        return;
      case "update-accepted":
        if (this.#open !== undefined) this.#open.examples += fact.examples;
        return;
      case "update-rejected":
        if (this.#open !== undefined) this.#open.rejected++;
        return;
      case "round-closed":
        this.#close(fact);
        return;
      case "evaluated":
        writer.add(this.#round, prefixed("evaluate", metricValues(fact.pooled, output)));
        return;
      case "gate":
        writer.add(this.#round, { "gate/value": fact.value, "gate/reference": fact.reference });
        return;
      case "version-published":
        writer.add(this.#round, { [`version/${fact.line}`]: fact.manifest.version });
        return;
      default:
        return;
    }
  }

  #close({ round, kind, outcome, folded }: Extract<ServerFact, { type: "round-closed" }>): void {
    const { writer, elapsed, traffic } = this.#options;
    const open = this.#open?.round === round ? this.#open : undefined;
    const now = traffic();
    writer.add(round, {
      [`${kind}/completed`]: Number(outcome === "completed"),
      [`${kind}/participants`]: folded.length,
      [`${kind}/rejected`]: open?.rejected,
      [`${kind}/examples`]: open?.examples,
      [`${kind}/seconds`]: open && (elapsed() - open.startMs) / 1000,
      ...(open?.traffic && now && bytesSince(kind, open.traffic, now)),
    });
    this.#open = undefined;
  }
}

function bytesSince(kind: string, before: Traffic, now: Traffic): Record<string, number> {
  return { [`${kind}/bytes_up`]: now.up - before.up, [`${kind}/bytes_down`]: now.down - before.down };
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]));
}
