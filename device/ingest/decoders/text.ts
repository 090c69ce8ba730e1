// Text as values: the words that devices use for 1 and 0, numbers in digits, and hashes.

/** Longest text that is looked at as a value, a tag or an id. */
export const TEXT_MAX = 256;

/** Enough for any double, and no more to look at. */
const NUMBER_MAX = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The finite number that `text` is, spaces around it aside. */
export function parseNumber(text: string): number | undefined {
  if (text.length > NUMBER_MAX) return undefined;
  const trimmed = text.trim();
  const value = Number(trimmed);
  return NUMBER.test(trimmed) && Number.isFinite(value) ? value : undefined;
}

const WORDS: ReadonlyMap<string, 0 | 1> = new Map([
  ["on", 1],
  ["off", 0],
  ["true", 1],
  ["false", 0],
  ["open", 1],
  ["closed", 0],
  ["online", 1],
  ["offline", 0],
]);
const WORD_MAX = 16;

/** 1 for ON, true, open and online, 0 for their opposites, in any case of letters. */
export function parseBoolean(text: string): 0 | 1 | undefined {
  return text.length > WORD_MAX ? undefined : WORDS.get(text.trim().toLowerCase());
}

/** Text for a tag or an id: short text, a number or a truth; undefined for anything else. */
export function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value.length <= TEXT_MAX ? value : undefined;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** UTF-8 of a payload. */
export function utf8(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8");
}

/** The 32-bit FNV-1a hash of the UTF-8 bytes (draft-eastlake-fnv, sec. 2), exact in a double. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
