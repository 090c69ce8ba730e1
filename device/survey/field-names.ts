// Names that a task can call fields by, whatever their paths are.

const PLAIN = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;

/** A name for every path: the path itself where it is one, otherwise in lower case with _ for all else. */
export function nameFields(paths: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set(paths.filter((path) => PLAIN.test(path)));
  const names = new Map<string, string>();
  for (const path of paths) {
    let name = path;
    if (!PLAIN.test(path)) {
      const base = plainOf(path);
      name = base;
      for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
      taken.add(name);
    }
    names.set(path, name);
  }
  return names;
}

function plainOf(path: string): string {
  const text = path
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 100);
  return /^[a-z]/.test(text) ? text : `f_${text}`;
}
