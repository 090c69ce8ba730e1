// What a server knows of its versions, from its data folder or from its API: whichever a person names.

import type { KeyObject } from "node:crypto";
import { viewServerFolder } from "../server/host/server-view.js";
import { lineageSchema, problemSchema } from "../server/http/schema.js";
import { LineageStore } from "../server/lineage/store.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { type Lineage, runSchema, verdictSchema } from "../shared/lineage/record.js";
import { publicKeyFromRaw } from "../shared/wire/signature.js";

const TIMEOUT_MS = 10_000;
const PAGE = 100;
/** Versions walked at most: as many as a server keeps. */
const CHAIN_MAX = 10_000;

/** Where to ask. */
export interface ServerPlace {
  /** A server's data folder. */
  readonly data?: string;
  /** A server's HTTP address. */
  readonly server?: string;
}

/** A version's making and its ancestors', newest first, and the key that the server says is its own. */
export interface KnownLineage {
  readonly publicKey: KeyObject;
  readonly chain: readonly Lineage[];
}

/** Where to ask, as one of two. Throws `config-invalid` unless exactly one place is given. */
export function placeOf({
  data,
  server,
}: ServerPlace):
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "api"; readonly server: string } {
  if (data !== undefined && server === undefined) return { kind: "folder", folder: data };
  if (server !== undefined && data === undefined) return { kind: "api", server };
  throw new HeadwaterError("config-invalid", "say either --data FOLDER or --server URL");
}

/** Reads it. An unknown version has an empty chain. */
export async function lineageFrom(where: ServerPlace, version: number): Promise<KnownLineage> {
  const place = placeOf(where);
  return place.kind === "folder" ? readLineage(place.folder, version) : fetchLineage(place.server, version);
}

/** Asks a server. Rejects with `address-unusable`: it is not there, or refuses, and then in its own words. */
export async function requestFrom(
  server: string,
  path: string,
  { timeoutMs = TIMEOUT_MS, ...init }: RequestInit & { readonly timeoutMs?: number } = {},
): Promise<Response> {
  try {
    const response = await fetch(new URL(path, server), { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (response.ok) return response;
    if (response.status === 401)
      throw new Error("it asks for its token: --http-token, or HEADWATER_HTTP_TOKEN");
    const said: unknown = await response.json().catch(() => undefined);
    const words = problemSchema.safeParse(said);
    throw new Error(words.success ? words.data.message : `it answered ${response.status}`);
  } catch (cause) {
    throw new HeadwaterError("address-unusable", `${server}: ${reasonOf(cause)}`, { cause });
  }
}

function readLineage(folder: string, version: number): KnownLineage {
  const view = viewServerFolder(folder);
  try {
    const chain = new LineageStore({ database: view.database }).ancestry(version, CHAIN_MAX);
    return { publicKey: view.publicKey, chain };
  } finally {
    view.close();
  }
}

async function fetchLineage(server: string, version: number): Promise<KnownLineage> {
  const chain: Lineage[] = [];
  for (let next: number | undefined = version; ; ) {
    const page = await fetchPage(server, next);
    const publicKey = publicKeyFromRaw(Buffer.from(page.publicKey, "base64"));
    for (const { run, verdict } of page.lineage) {
      chain.push({
        run: { ...signed(run), record: runSchema.parse(run.record) },
        verdict: verdict && { ...signed(verdict), record: verdictSchema.parse(verdict.record) },
      });
    }
    next = page.next;
    if (next === undefined || chain.length >= CHAIN_MAX) return { publicKey, chain };
  }
}

async function fetchPage(server: string, version: number) {
  const response = await requestFrom(server, `/api/models/${version}/lineage?limit=${PAGE}`);
  return lineageSchema.parse(await response.json());
}

function signed({ sha256, signature }: { readonly sha256: string; readonly signature: string }) {
  return { sha256, signature: new Uint8Array(Buffer.from(signature, "base64")) };
}

// fetch hides why it failed in the cause.
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
