// The import table of docs/architecture.md, enforced: who may import whom, and who alone may import what.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const layers = ["shared", "model", "device", "server", "simulator", "cli"] as const;
type Layer = (typeof layers)[number];

/** Which layers each layer may import, besides itself. */
const mayImport: Readonly<Record<Layer, readonly Layer[]>> = {
  shared: [],
  model: ["shared"],
  device: ["shared"],
  server: ["shared"],
  simulator: ["shared", "device", "server"],
  cli: ["shared", "model", "device", "server", "simulator"],
};

/** A package, or a pattern of source text, and the only files that may use it. */
const onlyImporters: readonly { readonly what: string; readonly pattern: RegExp; readonly where: RegExp }[] =
  [
    { what: "@tensorflow/*", pattern: /["']@tensorflow\//, where: /^shared\/model\/tfjs[^/]*\.ts$/ },
    {
      what: "better-sqlite3",
      pattern: /["']better-sqlite3["']/,
      where: /^shared\/storage\/(?:sqlite|folder-lock)\.ts$/,
    },
    { what: "mqtt", pattern: /\bfrom\s+["']mqtt["']/, where: /^shared\/transport\/mqtt[^/]*\.ts$/ },
    {
      what: "mqtt-packet",
      pattern: /["']mqtt-packet["']/,
      where: /^shared\/transport\/mqtt-connection\.ts$/,
    },
    { what: "aedes", pattern: /["']aedes["']/, where: /^server\/broker\// },
    { what: "ws", pattern: /\bfrom\s+["']ws["']/, where: /^server\/broker\// },
    {
      what: "fastify",
      pattern: /["']@?fastify/,
      where: /^(?:server\/http\/|device\/http\/|device\/ingest\/sources\/http|shared\/serving\/register\.ts)/,
    },
    { what: "pino", pattern: /["']pino["']/, where: /^shared\/log\.ts$/ },
    { what: "pure-rand", pattern: /["']pure-rand/, where: /^shared\/random\.ts$/ },
    { what: "cbor-x", pattern: /["']cbor-x/, where: /^device\/ingest\/decoders\/cbor\.ts$/ },
    {
      what: "protobufjs",
      pattern: /["']protobufjs/,
      where: /^device\/ingest\/decoders\/sparkplug\/payload\.ts$/,
    },
    { what: "preact", pattern: /["']preact[/"']/, where: /^server\/dashboard\// },
    { what: "modern-tar", pattern: /["']modern-tar/, where: /^shared\/artefact\/disk\.ts$/ },
    { what: "commander", pattern: /["']commander["']/, where: /^cli\// },
    { what: "Math.random", pattern: /\bMath\.random\s*\(/, where: /^$/ },
    {
      what: "ambient time",
      pattern:
        /\bDate\.now\s*\(|\bnew Date\(\s*\)|\bset(?:Timeout|Interval|Immediate)\s*\(|\bperformance\.now\s*\(|\bprocess\.hrtime\b/,
      // The dashboard runs in a browser, whose clock is another.
      where: /^(?:shared|server\/dashboard)\/clock\.ts$/,
    },
    { what: "console", pattern: /\bconsole\.\w+\s*\(/, where: /^$/ },
    { what: "process.exit", pattern: /\bprocess\.exit\s*\(/, where: /^cli\// },
  ];

interface SourceFile {
  readonly path: string;
  readonly layer: Layer;
  readonly code: string;
  readonly imports: readonly string[];
}

const files = layers.flatMap((layer) =>
  listTypeScript(join(root, layer)).map((path) => readSource(layer, path)),
);

describe("layers", () => {
  test("there are files to check in every layer", () => {
    for (const layer of layers)
      expect(
        files.some((file) => file.layer === layer),
        layer,
      ).toBe(true);
  });

  test("a file imports only the layers its own may import", () => {
    const breaches = files.flatMap((file) =>
      resolvedImports(file)
        .filter((target) => !isAllowed(file.layer, target))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  test("nothing inside imports a barrel: index.ts is for outsiders", () => {
    const breaches = files.flatMap((file) =>
      resolvedImports(file)
        .filter((target) => target.endsWith("/index.ts"))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  test("imports form no cycle", () => {
    expect(findCycle(new Map(files.map((file) => [file.path, resolvedImports(file)])))).toBeUndefined();
  });
});

describe("only importers", () => {
  test.each(onlyImporters)("$what stays in its place", ({ pattern, where }) => {
    const breaches = files
      .filter((file) => pattern.test(file.code) && !where.test(file.path))
      .map(({ path }) => path);
    expect(breaches).toEqual([]);
  });
});

describe("size", () => {
  test("no source file has more than 400 lines", () => {
    const long = files.filter((file) => file.code.split("\n").length > 400).map(({ path }) => path);
    expect(long).toEqual([]);
  });
});

function listTypeScript(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function readSource(layer: Layer, absolute: string): SourceFile {
  const code = withoutComments(readFileSync(absolute, "utf8"));
  const imports = [...code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1]!);
  return { path: toPosix(relative(root, absolute)), layer, code, imports };
}

// Good enough for our own code: a string holding "//" only loses its tail.
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function resolvedImports(file: SourceFile): string[] {
  return file.imports
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) =>
      toPosix(relative(root, join(root, dirname(file.path), specifier))).replace(/\.js$/, ".ts"),
    );
}

function isAllowed(layer: Layer, target: string): boolean {
  const targetLayer = target.split("/", 1)[0]!;
  if (targetLayer === "package.json") return layer === "cli";
  return targetLayer === layer || mayImport[layer].some((allowed) => allowed === targetLayer);
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(" -> ");
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function toPosix(path: string): string {
  return path.split(sep).join("/");
}
