// YAML 1.2 text as a plain value, with the place of every key and value kept for error messages.

import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  stringify,
  type YAMLError,
} from "yaml";
import { HeadwaterError, messageOf } from "../error.js";
import type { Path } from "./problem.js";

/** A parsed document. */
export interface YamlSource {
  readonly value: unknown;
  /** Where the deepest thing on `path` that the text holds begins. */
  placeOf(path: Path): Place;
}

/** A place in the text, counted from 1. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/** Parses one document; broken YAML throws `task-invalid` naming line and column of every fault. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseOrThrow(text, lines);
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) throw new HeadwaterError("task-invalid", faults.map(describeFault).join("\n"));
  return {
    value: valueOrThrow(document),
    placeOf: (path) => lines.linePos(offsetOf(document.contents, path)),
  };
}

/** A plain value as YAML, for people to read. */
export function writeYaml(value: unknown): string {
  return stringify(value, { lineWidth: 100 });
}

function parseOrThrow(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: true });
  } catch (cause) {
    // The parser recurses: only absurd nesting brings it down.
    throw new HeadwaterError("task-invalid", `the YAML cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function valueOrThrow(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new HeadwaterError("task-invalid", `the YAML cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function describeFault(fault: YAMLError): string {
  const place = fault.linePos?.[0];
  const message = fault.message.split(/ at line \d+|\n/, 1)[0] ?? fault.message;
  return `line ${place?.line ?? 1}, column ${place?.col ?? 1}: broken YAML: ${message}`;
}

function offsetOf(contents: Node | null, path: Path): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const key of path) {
    const child = childOf(node, key);
    if (child === undefined) return offset;
    offset = child.offset;
    node = child.node;
  }
  return offset;
}

// A key's place rather than its value's: that is where the eye looks.
function childOf(node: unknown, key: PropertyKey): { node: unknown; offset: number } | undefined {
  if (isSeq<Node>(node)) {
    const item = node.items[Number(key)];
    return item?.range ? { node: item, offset: item.range[0] } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
  );
  return isScalar(pair?.key) && pair.key.range ? { node: pair.value, offset: pair.key.range[0] } : undefined;
}
