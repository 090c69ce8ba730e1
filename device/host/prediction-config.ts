// `predictions` in a device's config: how many stay on disk, and who is told.

import { z } from "zod";
import type { MqttEndpoint } from "../../shared/transport/mqtt-endpoint.js";
import { isTopic } from "../../shared/transport/topic-filter.js";
import { brokerShape, endpointOf } from "../broker.js";
import { defaultPredictionKeep, keepSchema, type PredictionKeep } from "../infer/keep.js";
import { ANNOUNCED_MAX } from "./home-assistant.js";

/** Where predictions are published. */
export interface PublishConfig {
  readonly endpoint: MqttEndpoint;
  readonly topic: string;
  /** Entities whose newest prediction the broker keeps, each under a topic of its own; 0: none. */
  readonly retainedEntities: number;
  /** Each entity is announced to Home Assistant. */
  readonly homeAssistant: boolean;
}

/** `predictions`, read. */
export interface PredictionsConfig {
  readonly keep: PredictionKeep;
  readonly publish: PublishConfig | undefined;
}

const TOPIC_RULE = "expected a topic; {device} stands for the device id";
const RETAIN_RULE = "expected true, false or { entities: NUMBER }";
/** A site's machines; a wildcard topic that names things without end must not fill a broker. */
const RETAINED_ENTITIES = 1_000;

const retain = z.union(
  [
    z.boolean().transform((isRetained) => (isRetained ? RETAINED_ENTITIES : 0)),
    z.strictObject({ entities: z.int().min(1).max(100_000) }).transform(({ entities }) => entities),
  ],
  { error: RETAIN_RULE },
);

export const predictionsSchema = z
  .strictObject({
    ...brokerShape,
    broker: brokerShape.broker.optional().describe("Where they are published. Default: nowhere."),
    topic: z
      .string({ error: TOPIC_RULE })
      .max(512)
      .refine((topic) => isTopic(topic.replaceAll("{device}", "x")), { error: TOPIC_RULE })
      .prefault("headwater/{device}/prediction"),
    retain: retain
      .prefault(false)
      .describe("The broker keeps each entity's newest prediction, under TOPIC/ENTITY."),
    homeAssistant: z
      .boolean()
      .prefault(false)
      .describe("Each entity's prediction is announced to Home Assistant (MQTT discovery), and retained."),
    keep: keepSchema,
  })
  .superRefine(({ broker, retain, homeAssistant }, context) => {
    if (broker !== undefined || (retain === 0 && !homeAssistant)) return;
    const path = [retain === 0 ? "homeAssistant" : "retain"];
    context.addIssue({ code: "custom", path, message: "only a broker keeps messages: name it" });
  })
  .optional();

/** What a device called `device` does. */
export function predictionsOf(written: z.infer<typeof predictionsSchema>, device: string): PredictionsConfig {
  if (written === undefined) return { keep: defaultPredictionKeep, publish: undefined };
  const { broker, topic, retain, homeAssistant, keep } = written;
  if (broker === undefined) return { keep, publish: undefined };
  const endpoint = endpointOf({ ...written, broker });
  const retainedEntities = Math.max(retain, homeAssistant ? ANNOUNCED_MAX : 0);
  return {
    keep,
    publish: { endpoint, topic: topic.replaceAll("{device}", device), retainedEntities, homeAssistant },
  };
}
