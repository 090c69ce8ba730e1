// `headwater why ID`: where a prediction comes from, from the sensor row to the first version, with every signature and hash
// on the way verified.

import type { KeyObject } from "node:crypto";
import type { Command } from "commander";
import {
  findFeatures,
  findPredictions,
  findVersion,
  type KnownFeatures,
} from "../device/catalogue/explain.js";
import { type FolderView, taskOf, viewFolder } from "../device/catalogue/folder.js";
import type { Prediction } from "../device/fact.js";
import { readTask } from "../device/task-record.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { type Check, checkChain } from "../shared/lineage/check.js";
import type { Lineage, Verdict } from "../shared/lineage/record.js";
import { askRows, readAnswers } from "../shared/model/ask.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import { defineModel } from "../shared/model/define.js";
import { defaultEngine } from "../shared/model/engine.js";
import { sha256Hex } from "../shared/task/canonical.js";
import { learnerOf } from "../shared/task/learner.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Manifest } from "../shared/wire/message.js";
import { decodeModelBlob } from "../shared/wire/model-blob.js";
import { publicKeyFromRaw, verifyManifest, verifyTask } from "../shared/wire/signature.js";
import { readCredential } from "./read-named.js";
import { lineageFrom, type ServerPlace } from "./server-source.js";

interface Options extends ServerPlace {
  readonly deviceData: string;
  readonly credential?: string;
  readonly json?: true;
}

/** Engines differ in the last bits of their sums (float32). */
const REPRODUCED_WITHIN = 1e-4;
/** Features, updates and ancestors on a screen; --json has all of them. */
const SHOWN_MAX = 20;

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("why")
    .description(
      "where a prediction comes from: row, features, model version, round, updates, ancestors; verified",
    )
    .argument("<prediction>", "the id of the prediction, as published with it")
    .requiredOption("--device-data <folder>", "data folder of the device that made it")
    .option("--data <folder>", "the server's data folder")
    .option("--server <url>", "or the server's HTTP address")
    .option("--credential <file>", "the device's credential: its server key is the one that is believed")
    .option("--json", "print one JSON object")
    .action(async (id: string, options: Options) => {
      const view = viewFolder(options.deviceData);
      try {
        const stories = await explain(view, id, options);
        process.stdout.write(
          options.json ? `${JSON.stringify(stories)}\n` : stories.map(describe).join("\n"),
        );
        if (stories.some(({ checks }) => checks.some(({ ok }) => !ok))) process.exitCode = 1;
      } finally {
        view.close();
      }
    });
}

/** A prediction with all that is known of it. */
export interface Story {
  readonly prediction: Prediction;
  readonly task: { readonly name: string; readonly taskHash: string; readonly pipelineHash: string };
  /** Absent where neither example nor messages are kept. */
  readonly features?: KnownFeatures;
  /** Newest first; empty without a server to ask. */
  readonly lineage: readonly Lineage[];
  readonly checks: readonly Check[];
  /** What could not be looked at, and why. */
  readonly missing: readonly string[];
}

/** Everything known of the predictions of that id. Rejects with `data-missing` when there is none. */
export async function explain(
  view: FolderView,
  id: string,
  options: ServerPlace & { readonly credential?: string },
): Promise<readonly Story[]> {
  const found = findPredictions(view, id);
  if (found.length > 0) return Promise.all(found.map((prediction) => tell(view, prediction, options)));
  throw new HeadwaterError(
    "data-missing",
    `the device has no prediction ${id} (any more): it keeps the newest 10,000`,
  );
}

async function tell(
  view: FolderView,
  prediction: Prediction,
  options: ServerPlace & { readonly credential?: string },
): Promise<Story> {
  const { loaded } = taskOf(view);
  const { version } = prediction;
  const checks: Check[] = [];
  const missing: string[] = [];
  const features = await findFeatures(view, prediction);
  if (features === undefined)
    missing.push("features: neither the example nor the messages of that time are kept");
  const known = await ask(options, version, missing);
  const key = keyOf(options, known?.publicKey);
  if (key === undefined) missing.push("the server's key: give --credential, --data or --server");
  else if (known !== undefined && options.credential !== undefined) {
    checks.push(check("the server's key", key.equals(known.publicKey), "not the one the device believes"));
  }
  const lineage = known?.chain ?? [];
  if (key !== undefined) {
    checks.push(...checkDevice(view, version, key), ...checkChain(key, lineage));
  }
  checks.push(...checkMeaning(loaded, lineage[0]));
  checks.push(...(await checkContent(view, { prediction, features, loaded, made: lineage[0], missing })));
  return {
    prediction,
    task: { name: loaded.task.task, taskHash: loaded.taskHash, pipelineHash: loaded.pipelineHash },
    ...(features === undefined ? {} : { features }),
    ...{ lineage, checks, missing },
  };
}

async function ask(place: ServerPlace, version: number, missing: string[]) {
  if (place.data === undefined && place.server === undefined) {
    missing.push("lineage: give --data or --server to follow the version back");
    return undefined;
  }
  try {
    const known = await lineageFrom(place, version);
    if (known.chain.length === 0)
      missing.push(`lineage: the server does not know version ${version} (any more)`);
    return known;
  } catch (error) {
    if (!(error instanceof HeadwaterError) || error.code !== "address-unusable") throw error;
    missing.push(`lineage: ${messageOf(error)}`);
    return undefined;
  }
}

function keyOf(
  { credential }: { readonly credential?: string },
  said: KeyObject | undefined,
): KeyObject | undefined {
  if (credential === undefined) return said;
  return publicKeyFromRaw(readCredential(credential).serverKey);
}

function checkDevice(view: FolderView, version: number, key: KeyObject): Check[] {
  const task = readTask(view.state);
  const manifest = findVersion(view, version)?.manifest;
  return [
    ...(task === undefined
      ? []
      : [check("task on the device", verifyTask(key, task, task.signature), "bad-signature")]),
    ...(manifest === undefined
      ? []
      : [
          check(
            `manifest of version ${version}`,
            verifyManifest(key, manifest, manifest.signature),
            "bad-signature",
          ),
        ]),
  ];
}

function checkMeaning({ pipelineHash }: LoadedTask, made: Lineage | undefined): Check[] {
  if (made === undefined) return [];
  const isSame = made.run.record.hashes.pipeline === pipelineHash;
  return [
    check("pipeline of device and version", isSame, "the device runs another pipeline than the version's"),
  ];
}

/** The version's bytes, where the device still has them: they are what the run names, and give the same prediction. */
async function checkContent(
  view: FolderView,
  about: {
    readonly prediction: Prediction;
    readonly features: KnownFeatures | undefined;
    readonly loaded: LoadedTask;
    readonly made: Lineage | undefined;
    readonly missing: string[];
  },
): Promise<Check[]> {
  const { prediction, features, loaded, made, missing } = about;
  const { version } = prediction;
  const kept = findVersion(view, version);
  if (kept === undefined) {
    missing.push(`content of version ${version}: the device has gone on to others`);
    return [];
  }
  const sha256 = sha256Hex(kept.blob);
  const checks = [check(`content of version ${version}`, sha256 === kept.manifest.sha256, "wrong-hash")];
  if (made !== undefined) {
    checks.push(
      check("content and run", sha256 === made.run.record.hashes.blob, "the run made another content"),
    );
  }
  if (features === undefined || checks.some(({ ok }) => !ok)) return checks;
  const value = await predictAnew(loaded, kept, features);
  if (value === undefined) return checks;
  const isSame = Math.abs(value - prediction.value) <= REPRODUCED_WITHIN * Math.max(1, Math.abs(value));
  return [...checks, check("the prediction, made anew", isSame, `it is ${value}, not ${prediction.value}`)];
}

async function predictAnew(
  { task }: LoadedTask,
  { blob, manifest }: { readonly blob: Uint8Array; readonly manifest: Pick<Manifest, "arm"> },
  { values }: KnownFeatures,
): Promise<number | undefined> {
  const content = decodeModelBlob(blob);
  if (!content.ok || content.scaler.offset.length !== values.length) return undefined;
  const runtime = await createRuntime(defaultEngine);
  try {
    const learner = learnerOf(task, manifest.arm);
    if (learner === undefined) return undefined;
    const model = await runtime.model(defineModel(learner.model, values.length));
    model.load(content.params);
    const { scaler } = content;
    const [answer] = readAnswers(
      model.definition,
      scaler,
      askRows(model, scaler, [Float32Array.from(values)]),
    );
    return answer?.value;
  } finally {
    runtime.dispose();
  }
}

function check(what: string, ok: boolean, fault: string): Check {
  return { what, ok, detail: ok ? "" : fault };
}

/** The story for a person. */
export function describe({ prediction, task, features, lineage, checks, missing }: Story): string {
  const { id, entity, timeMs, version, value, probability } = prediction;
  const sure = probability === null ? "" : ` (probability ${probability.toPrecision(4)})`;
  return [
    `prediction ${id}: ${value}${sure}`,
    `  of entity ${entity} at ${new Date(timeMs).toISOString()}, task ${task.name}`,
    ...describeFeatures(features),
    `made by version ${version}`,
    ...shown(lineage.map(describeVersion)),
    ...(checks.length === 0
      ? []
      : [`verified: ${checks.filter(({ ok }) => ok).length} of ${checks.length} checks`]),
    ...checks.filter(({ ok }) => !ok).map(({ what, detail }) => `  WRONG ${what}: ${detail}`),
    ...missing.map((what) => `not known: ${what}`),
    "",
  ].join("\n");
}

function describeFeatures(features: KnownFeatures | undefined): string[] {
  if (features === undefined) return [];
  const from =
    features.from === "example" ? "as stored with its label" : "computed anew from the logged messages";
  return [
    `from these features, ${from}:`,
    ...shown(features.columns.map((column, at) => `  ${column} = ${features.values[at]}`)),
  ];
}

/** A version's making in one line. */
export function describeVersion({ run, verdict }: Lineage): string {
  const { version, parent, kind, round, updates, times } = run.record;
  const examples = updates.reduce((sum, update) => sum + update.examples, 0);
  const made = {
    initialise: "first params",
    fit: `round ${round}: first params, scaler fitted to the fleet`,
    fold: `round ${round}: ${updates.length} updates, ${examples} examples`,
    start: "the start of a candidate",
    revert: `the params of version ${parent} once more`,
    import: "imported",
  }[kind];
  const by = updates.length === 0 ? "" : ` from ${listed(updates.map(({ device }) => device))}`;
  const judged = verdict === undefined ? "" : `; ${describeVerdict(verdict.record)}`;
  return `  ${version} (parent ${parent}), ${new Date(times.createdMs).toISOString()}: ${made}${by}${judged}`;
}

function describeVerdict({ metric, value, passed, trial }: Verdict): string {
  const score = value === null ? "not scored" : `${metric} ${value.toPrecision(4)}`;
  const gate = `${score}, gate ${passed ? "passed" : "failed"}`;
  if (trial === null) return gate;
  const reasons = trial.reasons.length === 0 ? "" : ` (${trial.reasons.join("; ")})`;
  return `${gate}, ${trial.outcome} from ${trial.mode}${reasons}`;
}

function listed(names: readonly string[]): string {
  const more = names.length - SHOWN_MAX;
  return more > 0 ? `${names.slice(0, SHOWN_MAX).join(", ")} and ${more} more` : names.join(", ");
}

function shown(lines: readonly string[]): readonly string[] {
  const more = lines.length - SHOWN_MAX;
  return more > 0 ? [...lines.slice(0, SHOWN_MAX), `  and ${more} more (--json has all)`] : lines;
}
