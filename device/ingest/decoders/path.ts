// Paths into JSON: "DS18B20.Temperature", "values[0]". Parsed once, followed for every message.

/** The steps of a path, which the task's schema has checked. */
export function parsePath(path: string): readonly string[] {
  return path.replace(/\[(\d+)\]/g, ".$1").split(".");
}

/** What is at the end of the path; undefined when there is nothing. */
export function follow(value: unknown, steps: readonly string[]): unknown {
  let found = value;
  for (const step of steps) {
    // Own properties only: a message must not reach what objects inherit.
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[step];
  }
  return found;
}
