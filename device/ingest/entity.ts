// Which thing a message is about, by a template: "{topic.1}", "{tag.room}", "{device}", or words around them.

import type { DeviceId } from "../../shared/id.js";

/** A tag of a message by its name; undefined when it has none. */
export type TagOf = (name: string) => string | undefined;

/** Reads the entity off a topic and tags; answers undefined when the topic has too few levels or one is empty, or a tag absent. */
export interface EntityReader {
  (topic: string, tagOf?: TagOf): string | undefined;
  /** Why it answered undefined. */
  faultOf(topic: string): "topic-too-short" | "no-entity";
}

/** A reader of this template. */
export function createEntityReader(template: string, device: DeviceId): EntityReader {
  const parts = template
    .split(/(\{[^}]+\})/)
    .filter((part) => part !== "")
    .map((part) => parsePart(part, device));
  const levels = Math.max(0, ...parts.map((part) => (part.kind === "level" ? part.index + 1 : 0)));
  const read = (topic: string, tagOf?: TagOf) => {
    const topicLevels = levels === 0 ? [] : topic.split("/");
    let entity = "";
    for (const part of parts) {
      const text = readPart(part, topicLevels, tagOf);
      if (text === undefined) return undefined;
      entity += text;
    }
    return entity;
  };
  const faultOf = (topic: string) => (topic.split("/").length < levels ? "topic-too-short" : "no-entity");
  return Object.assign(read, { faultOf } as const);
}

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "level"; readonly index: number }
  | { readonly kind: "tag"; readonly name: string };

function parsePart(part: string, device: DeviceId): Part {
  if (part === "{device}") return { kind: "text", text: device };
  const [, kind, name] = /^\{(topic|tag)\.(.+)\}$/.exec(part) ?? [];
  if (name === undefined) return { kind: "text", text: part };
  return kind === "tag" ? { kind, name } : { kind: "level", index: Number(name) };
}

function readPart(part: Part, levels: readonly string[], tagOf: TagOf | undefined): string | undefined {
  switch (part.kind) {
    case "text":
      return part.text;
    case "level":
      return levels[part.index] || undefined; // an empty level names nothing, nor does an empty tag
    case "tag":
      return tagOf?.(part.name) || undefined;
  }
}
