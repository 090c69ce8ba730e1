// Which thing a message is about, by the task's template: "{topic.1}", "{device}", or words around them.

import type { DeviceId } from "../../shared/id.js";

/** Reads the entity off a topic; answers undefined when the topic has too few levels. */
export function createEntityReader(
  template: string,
  device: DeviceId,
): (topic: string) => string | undefined {
  const parts = template.split(/(\{[^}]+\})/).filter((part) => part !== "");
  return (topic) => {
    const levels = topic.split("/");
    const read = parts.map((part) => readPart(part, levels, device));
    return read.every((text) => text !== undefined) ? read.join("") : undefined;
  };
}

function readPart(part: string, levels: readonly string[], device: DeviceId): string | undefined {
  if (part === "{device}") return device;
  const level = /^\{topic\.(\d+)\}$/.exec(part)?.[1];
  return level === undefined ? part : levels[Number(level)];
}
