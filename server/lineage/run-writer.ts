// Writes down how a version was made.

import { type RunManifest, type Signed, signLineage } from "../../shared/lineage/record.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { learnerOf } from "../../shared/task/learner.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import { headwaterVersion } from "../../shared/version.js";
import type { Manifest } from "../../shared/wire/message.js";
import type { KeyPair } from "../../shared/wire/signature.js";
import type { Upload } from "../ingest/staging.js";
import type { ArmLearning } from "../model/learning.js";
import type { RoundHistory } from "../round/history.js";
import { roundSeed } from "../round/seed.js";
import type { LineageStore } from "./store.js";

export interface RunWriterOptions {
  readonly loaded: LoadedTask;
  readonly keys: KeyPair;
  readonly learning: {
    of(arm: string | undefined): Pick<ArmLearning, "definition" | "engine">;
  };
  readonly lineage: LineageStore;
  readonly history: RoundHistory;
  /** Root of all chance. */
  readonly seed: string;
}

/** A version that has just been made. */
export interface Made {
  /** Signed. */
  readonly manifest: Manifest;
  readonly scaler: FittedScaler;
  readonly kind: RunManifest["kind"];
  readonly round: number;
  readonly updates: readonly Pick<Upload, "device" | "updateId" | "sha256" | "examples">[];
  readonly origin?: RunManifest["origin"];
}

/** Says of each version what went into it and by which rules. */
export class RunWriter {
  readonly #options: RunWriterOptions;

  constructor(options: RunWriterOptions) {
    this.#options = options;
  }

  /** The signed run of a version. Changes nothing. */
  write({ manifest, scaler, kind, round, updates, origin = null }: Made): Signed<RunManifest> {
    const { loaded, keys, learning, lineage, history, seed } = this.#options;
    const { task, pipelineHash, taskHash } = loaded;
    const { version, parent, arm, sha256, fingerprint, modelSignature, createdMs } = manifest;
    const { definition, engine } = learning.of(arm);
    const train = learnerOf(task, arm)?.train ?? task.train;
    return signLineage(keys.privateKey, {
      schema: "headwater/run/1",
      ...{ task: task.task, version, parent, kind, round, origin },
      parentRun: lineage.runHash(parent) ?? null,
      updates: updates
        .map(({ device, updateId, sha256: frame, examples }) => ({
          device,
          updateId,
          sha256: frame,
          examples,
        }))
        // Ids are ASCII: this is the order of their bytes.
        .sort((a, b) => (a.device < b.device ? -1 : 1)),
      hashes: {
        ...{ task: taskHash, pipeline: pipelineHash, topology: definition.topologyHash },
        ...{ scaler: scalerHash(scaler), params: fingerprint, modelSignature, blob: sha256 },
      },
      ...plain({ train, rounds: task.rounds, aggregate: task.aggregate }),
      seeds: { rootSha256: sha256Hex(seed), round: round === 0 ? null : roundSeed(seed, round) },
      epsilon: null,
      code: codeOf(engine),
      times: { openedMs: history.openedMs(round) ?? null, createdMs },
    });
  }
}

function codeOf(engine: string): RunManifest["code"] {
  const { arch, platform, versions } = process;
  return { headwater: headwaterVersion(), node: versions.node, arch, platform, engine };
}

/** Without keys that nobody set: the text of a record is that of what is read back from it. */
function plain<Parts extends object>(parts: Parts): Record<keyof Parts, Record<string, unknown>> {
  return JSON.parse(JSON.stringify(parts)) as Record<keyof Parts, Record<string, unknown>>; // objects stay objects
}
