// What a rule says: where the line is, how surely it must be crossed, and where the word goes.

import type { MqttEndpoint } from "../../shared/transport/mqtt-endpoint.js";

/** One rule of the owner's, parsed. At least one of `above` and `below` is set. */
export interface Rule {
  readonly name: string;
  /** A column of the task, `prediction.value`, `prediction.probability` or `prediction.anomaly`. */
  readonly of: string;
  readonly above: number | undefined;
  readonly below: number | undefined;
  /** How far on the other side of its line a value must be to clear the alarm. */
  readonly hysteresis: number;
  /** How long values must ask for the alarm before it is raised. */
  readonly raiseAfter: Hold;
  /** How long values must ask for its end before it is cleared. */
  readonly clearAfter: Hold;
  /** Event time without a value after which nothing is known any more; undefined: the last value holds. */
  readonly staleMs: number | undefined;
  /** Names of entities, `*` for any text; undefined: all. */
  readonly entities: readonly string[] | undefined;
  readonly publish: RulePublish;
}

/** Event time from the first such value to the last, or so many in a row. */
export type Hold =
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "rows"; readonly rows: number };

/** Where and how a rule speaks. */
export interface RulePublish {
  readonly endpoint: MqttEndpoint;
  /** `{device}`, `{rule}` and `{entity}` stand for their names. */
  readonly topic: string;
  readonly retain: boolean;
  readonly payload: "json" | "onoff";
  /** Most messages a minute. */
  readonly perMinute: number;
}
