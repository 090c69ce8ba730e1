// Alerts, from what happens to people: watched for, raised once, sent on every way there is.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import { Lru } from "../../shared/lru.js";
import { randomStream } from "../../shared/random.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import type { ServerFact } from "../fact.js";
import type { AlertCount } from "../metrics/page.js";
import type { Alert } from "./alert.js";
import { Delivery } from "./delivery.js";
import { createTopic } from "./topic.js";
import { AlertWatch, type FleetLook } from "./watch.js";
import { createWebhook } from "./webhook.js";

/** Where alerts go. */
export interface AlertConfig {
  /** An HTTP address. */
  readonly webhook?: string | undefined;
  /** Topics below a prefix. */
  readonly mqtt?: { readonly endpoint: MqttEndpoint; readonly prefix: string } | undefined;
}

export interface AlertDeskOptions {
  readonly config: AlertConfig;
  readonly task: TaskId;
  /** Root of its chance: only retries. */
  readonly seed: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An alert that was raised a short while ago is counted as `alerts.repeated`. */
  readonly counters: Counters;
  readonly fleet: () => Omit<FleetLook, "elapsedMs">;
}

/** The same alert is raised once in this time. */
const REPEAT_MS = 3_600_000;
/** Alerts remembered as raised. */
const REMEMBERED_MAX = 1_000;
const LOOK_MS = 30_000;

/** Works from its making until closed. Throws `config-invalid`. */
export class AlertDesk {
  readonly #options: AlertDeskOptions;
  readonly #deliveries: readonly Delivery[];
  readonly #watch = new AlertWatch();
  readonly #raised = new Lru<string, number>(REMEMBERED_MAX);
  #cancel: Cancel = () => undefined;

  constructor(options: AlertDeskOptions) {
    const { config, task, seed, clock, logger } = options;
    const { webhook, mqtt } = config;
    const random = randomStream(seed, "alerts");
    const ways = [
      ...(webhook === undefined ? [] : [createWebhook(webhook)]),
      ...(mqtt === undefined ? [] : [createTopic({ ...mqtt, task, clock, random, logger })]),
    ];
    this.#options = options;
    this.#deliveries = ways.map((way) => new Delivery({ way, clock, random, logger }));
    this.#lookLater();
  }

  hear(fact: ServerFact): void {
    const alert = this.#watch.hear(fact);
    if (alert !== undefined) this.#raise(alert);
  }

  /** By way and outcome. */
  counts(): readonly AlertCount[] {
    return this.#deliveries.flatMap(({ name, counts }) =>
      Object.entries(counts.toJSON()).map(([outcome, count]) => ({ way: name, outcome, count })),
    );
  }

  /** What has not been sent is lost. */
  async close(): Promise<void> {
    this.#cancel();
    await Promise.all(this.#deliveries.map((delivery) => delivery.close()));
  }

  #raise(alert: Alert): void {
    const { clock, counters, task } = this.#options;
    const key = `${alert.kind} ${alert.subject}`;
    const beforeMs = this.#raised.get(key);
    if (beforeMs !== undefined && clock.elapsed() - beforeMs < REPEAT_MS) {
      counters.add("alerts.repeated");
      return;
    }
    this.#raised.set(key, clock.elapsed());
    for (const delivery of this.#deliveries) delivery.post({ ...alert, task, raisedMs: clock.now() });
  }

  #lookLater(): void {
    const { clock, fleet } = this.#options;
    this.#cancel = clock.after(LOOK_MS, () => {
      for (const alert of this.#watch.look({ ...fleet(), elapsedMs: clock.elapsed() })) this.#raise(alert);
      this.#lookLater();
    });
  }
}
