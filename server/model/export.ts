// A kept version as an artefact.

import type { KeyObject } from "node:crypto";
import type { Artefact } from "../../shared/artefact/artefact.js";
import { HeadwaterError } from "../../shared/error.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { LineageStore } from "../lineage/store.js";
import type { ModelRegistry } from "./registry.js";

export interface ExportOptions {
  readonly registry: ModelRegistry;
  readonly lineage: LineageStore;
  readonly publicKey: KeyObject;
}

/** Ancestors that go along. */
const LINEAGE_MAX = 100;

/**
 * The version with its task, undefined when it is not kept. Rejects with `data-missing` when no text of a task is kept that
 * it could run under: it was made before there was lineage.
 */
export async function artefactOf(
  { registry, lineage, publicKey }: ExportOptions,
  version: number,
): Promise<Artefact | undefined> {
  const model = await registry.model(version);
  if (model === undefined) return undefined;
  const ancestry = lineage.ancestry(version, LINEAGE_MAX);
  const loaded = taskOf(lineage, ancestry[0]?.run.record.hashes.task);
  if (loaded !== undefined) return { ...model, loaded, publicKey, lineage: ancestry };
  const message = `no text of the task of version ${version} is kept: start its server once with this Headwater`;
  throw new HeadwaterError("data-missing", message);
}

// All tasks of one database have one pipeline and one model: only policies differ.
function taskOf(lineage: LineageStore, taskHash: string | undefined): LoadedTask | undefined {
  return (taskHash === undefined ? undefined : lineage.task(taskHash)) ?? lineage.newestTask();
}
