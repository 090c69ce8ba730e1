// Versions from a server's data folder or its API.

import { type ServerView, viewServerFolder } from "../server/host/server-view.js";
import { type ModelView, modelsSchema } from "../server/http/schema.js";
import { describeModels as viewModels } from "../server/http/views.js";
import { LineageStore } from "../server/lineage/store.js";
import { Aliases } from "../server/model/aliases.js";
import { artefactOf } from "../server/model/export.js";
import { ModelRegistry } from "../server/model/registry.js";
import { VersionStore } from "../server/model/version-store.js";
import { RoundHistory } from "../server/round/history.js";
import { replay } from "../server/round/journal.js";
import { initialState } from "../server/round/state.js";
import { readJournal } from "../server/storage.js";
import { describeModel } from "../shared/artefact/artefact.js";
import { filesOf } from "../shared/artefact/disk.js";
import { artefactFiles, type Files } from "../shared/artefact/files.js";
import { HeadwaterError } from "../shared/error.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import { placeOf, requestFrom, type ServerPlace } from "./server-source.js";

/** Every version kept, newest first. */
export async function modelsFrom(where: ServerPlace): Promise<readonly ModelView[]> {
  const place = placeOf(where);
  if (place.kind === "folder") return viewing(place.folder, modelsIn);
  const response = await requestFrom(place.server, "/api/models");
  return modelsSchema.parse(await response.json()).models;
}

/** A version's files. Rejects with `data-missing` when it is not kept. */
export async function exportFrom(where: ServerPlace, version: number, runtime: ModelRuntime): Promise<Files> {
  const place = placeOf(where);
  if (place.kind === "folder") return viewing(place.folder, (view) => exportIn(view, version, runtime));
  const path = `/api/models/${version}/export`;
  const response = await requestFrom(place.server, path, { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  return filesOf(new Uint8Array(await response.arrayBuffer()), `${place.server}${path}`);
}

/** The largest version over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;

/** Who asks whom for a change. */
export interface Operator {
  readonly server: string;
  /** The server's bearer token, where it wants one. */
  readonly httpToken?: string | undefined;
}

/** Asks a server for a change. Rejects with `address-unusable` and the server's own words when it refuses. */
export async function askOf(
  { server, httpToken }: Operator,
  path: string,
  {
    method = "POST",
    body = {},
  }: { readonly method?: "POST" | "PUT" | "DELETE"; readonly body?: object } = {},
): Promise<void> {
  const authorization = httpToken === undefined ? {} : { authorization: `Bearer ${httpToken}` };
  const headers = { "content-type": "application/json", ...authorization };
  await requestFrom(server, path, { method, headers, body: JSON.stringify(body) });
}

async function viewing<Result>(
  folder: string,
  use: (view: ServerView) => Result | Promise<Result>,
): Promise<Result> {
  const view = viewServerFolder(folder);
  try {
    return await use(view);
  } finally {
    view.close();
  }
}

function modelsIn({ database }: ServerView): readonly ModelView[] {
  const [versions, history] = [new VersionStore(database), new RoundHistory(database)];
  const task = new LineageStore({ database }).newestTask();
  if (task === undefined) {
    if (versions.list().length === 0) return [];
    throw new HeadwaterError(
      "data-missing",
      "no task's text is kept: start the server once with this Headwater",
    );
  }
  const content = readJournal(database);
  const { head, stable, trial } = content === undefined ? initialState : replay(content);
  const { models } = viewModels({
    task: task.task,
    server: {
      status: () => ({ head, stable, trial: trial ?? undefined }),
      aliases: new Aliases(database),
      versions: () =>
        versions.list().map((manifest) => ({ manifest, scored: history.scored(manifest.version) })),
    },
  });
  // In the form, to the order of its keys, that the API gives.
  return modelsSchema.parse({ models }).models;
}

async function exportIn({ database, publicKey }: ServerView, version: number, runtime: ModelRuntime) {
  const registry = new ModelRegistry(new VersionStore(database));
  const artefact = await artefactOf(
    { registry, lineage: new LineageStore({ database }), publicKey },
    version,
  );
  if (artefact === undefined)
    throw new HeadwaterError("data-missing", `there is no version ${version} (any more)`);
  const { spec } = await runtime.model(describeModel(artefact.loaded, artefact.manifest.arm).definition);
  return artefactFiles(artefact, spec);
}
