// YAML in one line: maps and lists in braces and brackets, text in quotes where it would be read as something else.

/** What can be written. */
export type Flow = string | number | boolean | readonly Flow[] | { readonly [key: string]: Flow | undefined };

/** A value as YAML 1.2 on one line; entries that are undefined are left out. */
export function flow(value: Flow): string {
  if (typeof value === "string") return text(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map(flow).join(", ")}]`;
  const entries = Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : [`${text(key)}: ${flow(inner)}`],
  );
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

function isList(value: object): value is readonly Flow[] {
  return Array.isArray(value);
}

// Any JSON string is one in YAML too.
function text(value: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./%+-]*$|^\d+(?:ms|s|m|h|d|w|%)$/.test(value);
  return isPlain && !/^(?:true|false|null|yes|no|on|off)$/i.test(value) ? value : JSON.stringify(value);
}
