// What a line of a file is as a message: its topic and its payload.

import { topicOf } from "../ingest/sources/file.js";
import { STDIN } from "./file-lines.js";

/** How a payload is written as a line. */
export const encodings = ["text", "base64", "hex"] as const;
export type Encoding = (typeof encodings)[number];

/** A line, taken apart. `topic` is undefined where it says none. */
export interface ParsedLine {
  readonly topic: string | undefined;
  readonly payload: Uint8Array;
}

const TAB = 0x09;
const SPACE = 0x20;

/**
 * TOPIC, a tab or else a space, PAYLOAD: as `mosquitto_sub -v` prints it, or `-F '%t\t%p'` where topics hold spaces.
 * Undefined when there is neither tab nor space.
 */
export function splitTopic(line: Uint8Array): ParsedLine | undefined {
  const tab = line.indexOf(TAB);
  const at = tab >= 0 ? tab : line.indexOf(SPACE);
  if (at < 0) return undefined;
  return { topic: Buffer.from(line.subarray(0, at)).toString("utf8"), payload: line.subarray(at + 1) };
}

/** The payload that a line spells; undefined when it is not written so. */
export function decodeLine(line: Uint8Array, encoding: Encoding): Uint8Array | undefined {
  if (encoding === "text") return line;
  const text = Buffer.from(line).toString("latin1").trim();
  const isWellFormed = encoding === "hex" ? isHex(text) : isBase64(text);
  return isWellFormed ? Buffer.from(text, encoding) : undefined;
}

/**
 * A topic that fits an MQTT filter: `+` and `#` become the file's name without its endings, or "stdin". That is also
 * the topic where there is no filter.
 */
export function topicFor(filter: string | undefined, path: string): string {
  const name = path === STDIN ? "stdin" : topicOf(path);
  if (filter === undefined) return name;
  return filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? name : level))
    .join("/");
}

function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9A-Fa-f]*$/.test(text);
}

// RFC 4648, sections 4 and 5, with or without padding.
function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text);
}
