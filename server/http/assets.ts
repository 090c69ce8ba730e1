// The built dashboard, whole in memory: a handful of files, packed once, and no path of a request ever reaches the disk.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** One file, ready to send. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  /** Its name holds a hash of its content, so it never changes (RFC 8246). */
  readonly isImmutable: boolean;
}

/** Files by the path they are asked for; empty when the dashboard has not been built. */
export type Assets = ReadonlyMap<string, Asset>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

let loaded: Assets | undefined;

/** Reads them once for the process. */
export function loadAssets(): Assets {
  if (loaded === undefined || loaded.size === 0) loaded = new Map(readFolder(dashboardFolder()));
  return loaded;
}

function dashboardFolder(): string {
  // By its own name, so that it is found from the sources and from the build alike.
  return join(dirname(createRequire(import.meta.url).resolve("headwater/package.json")), "dist/dashboard");
}

function readFolder(folder: string): [string, Asset][] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
      .map((entry) => readAsset(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}

function readAsset(folder: string, path: string): [string, Asset] {
  const name = path.slice(folder.length).replaceAll("\\", "/");
  const body = readFileSync(path);
  const asset: Asset = {
    type: TYPES[extname(path)] ?? "application/octet-stream",
    body,
    gzip: gzipSync(body, { level: 9 }),
    isImmutable: name.startsWith("/assets/"),
  };
  return [name === "/index.html" ? "/" : name, asset];
}
