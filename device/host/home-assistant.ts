// Predictions in Home Assistant without a line of configuration there: MQTT discovery. A retained message per entity
// says what it is and where its state is (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery).

import { isLevel, type TaskId } from "../../shared/id.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { OutputSpec } from "../../shared/task/task.js";
import { availabilityTopic } from "./retained-predictions.js";

/** Entities announced; more would flood whoever listens. */
export const ANNOUNCED_MAX = 100;

/** Where Home Assistant looks unless it is told otherwise. */
const PREFIX = "homeassistant";

/** A message to publish, retained. */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: string;
}

export interface HomeAssistantOptions {
  readonly device: string;
  readonly task: TaskId;
  /** Of Headwater. */
  readonly version: string;
  /** Of the predictions; availability is below it. */
  readonly topic: string;
}

/** An entity, and the topic of its last prediction. */
export interface Announced {
  readonly entity: string;
  readonly state: string;
  readonly output: OutputSpec["kind"];
}

/** What announces the predictions of an entity: a sensor, or a binary sensor where the answer is yes or no. */
export function announcement(
  { device, task, version, topic }: HomeAssistantOptions,
  { entity, state, output }: Announced,
): RetainedMessage {
  const node = `${device}_${task}`;
  const object = objectIdOf(entity);
  const isBinary = output === "binary";
  const config = {
    name: `${task} ${entity}`,
    unique_id: `headwater_${node}_${object}`,
    state_topic: state,
    value_template: isBinary ? "{{ 'ON' if value_json.value == 1 else 'OFF' }}" : "{{ value_json.value }}",
    json_attributes_topic: state,
    availability_topic: availabilityTopic(topic),
    // Numbers are drawn as a line; of classes there is no mean.
    ...(output === "regression" || output === "reconstruction" ? { state_class: "measurement" } : {}),
    device: {
      identifiers: [`headwater_${device}`],
      name: device,
      manufacturer: "Headwater",
      sw_version: version,
    },
    origin: { name: "Headwater", sw_version: version },
  };
  const component = isBinary ? "binary_sensor" : "sensor";
  return { topic: `${PREFIX}/${component}/${node}/${object}/config`, payload: JSON.stringify(config) };
}

/** Discovery takes A-Z a-z 0-9 _ -; any other name is told apart by its hash. */
function objectIdOf(entity: string): string {
  if (isLevel(entity)) return entity;
  const plain = entity.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 40);
  return `e_${plain}_${sha256Hex(entity).slice(0, 8)}`;
}
