// `headwater model pull`: a version by its channel, over MQTT, as an artefact in one archive. Whoever pulls keeps his own release cycle.

import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { fetchModel } from "../device/on-demand/fetch-model.js";
import { describeModel } from "../shared/artefact/artefact.js";
import { isArchive, readFiles, replaceArchive } from "../shared/artefact/disk.js";
import { artefactFiles, readArtefact } from "../shared/artefact/files.js";
import { systemClock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import { createLogger } from "../shared/log.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import { defaultEngine } from "../shared/model/engine.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import { byteSize } from "../shared/task/units.js";
import { duration, wholeNumber } from "./argument.js";
import { readCredential, readNamed } from "./read-named.js";

interface Options {
  readonly broker: string;
  readonly credential: string;
  readonly ca?: string;
  readonly channel: string;
  readonly out: string;
  readonly minVersion?: number;
  readonly maxBytes?: number;
  readonly sameInputs?: true;
  readonly timeout: number;
  readonly json?: true;
}

/** Adds the command to `headwater model`. */
export function registerPull(model: Command): void {
  model
    .command("pull")
    .description(
      "ask a server over MQTT for a version, and write it to a file when it is newer than what is there",
    )
    .requiredOption("--broker <url>", "the server's uplink broker, such as mqtt://192.168.1.10:1883")
    .requiredOption("--credential <file>", "of a name that `headwater enrol` made for this program alone")
    .requiredOption(
      "--out <file>",
      "where it goes, in the place of an older one; the name ends in .tar",
      outPath,
    )
    .option("--channel <name>", "stable, head, canary, own, or an alias", "stable")
    .option(
      "--min-version <n>",
      "only this version or a newer one (default: newer than in --out)",
      wholeNumber(0),
    )
    .option("--max-bytes <size>", "only a version this small, such as 2MB", size)
    .option("--same-inputs", "only a version with the pipeline, scaler and topology of the one in --out")
    .option("--ca <file>", "PEM file with the certificates to trust instead of the system's")
    .addOption(new Option("--timeout <duration>", "give up after").argParser(duration).default(60_000, "60s"))
    .option("--json", "print one JSON object")
    .action((options: Options) => pull(options));
}

async function pull(options: Options): Promise<void> {
  const runtime = await createRuntime(defaultEngine);
  try {
    await pullWith(options, runtime);
  } finally {
    runtime.dispose();
  }
}

async function pullWith(options: Options, runtime: ModelRuntime): Promise<void> {
  const { broker: url, ca, channel, out, maxBytes, timeout: timeoutMs, json } = options;
  const credential = readCredential(options.credential);
  const held = existsSync(out) ? (await readArtefact(await readFiles(out), runtime)).manifest : undefined;
  if (options.sameInputs && held === undefined)
    throw new HeadwaterError("config-invalid", `--same-inputs: there is no version in ${out} yet`);
  const minVersion = options.minVersion ?? (held === undefined ? 0 : held.version + 1);
  const fetched = await fetchModel({
    ...{ credential, channel, timeoutMs, parts: { runtime, logger: createLogger("warn") } },
    broker: { url, ca: ca === undefined ? undefined : readNamed(ca, "certificates") },
    minVersion,
    accept: {
      ...(maxBytes === undefined ? {} : { bytes: maxBytes }),
      ...(options.sameInputs && held !== undefined ? { modelSignature: held.modelSignature } : {}),
    },
  });
  if (fetched.ok) {
    const { loaded, manifest } = fetched.model;
    const { spec } = await runtime.model(describeModel(loaded, manifest.arm).definition);
    await replaceArchive(out, artefactFiles(fetched.model, spec), systemClock.now());
  }
  const summary = fetched.ok
    ? { pulled: true, channel, version: fetched.model.manifest.version, bytes: fetched.model.manifest.bytes }
    : { pulled: false, channel, reason: fetched.reason, version: held?.version ?? null };
  process.stdout.write(
    json ? `${JSON.stringify(summary)}\n` : describe(fetched, { channel, out, minVersion }),
  );
}

function describe(
  fetched: Awaited<ReturnType<typeof fetchModel>>,
  {
    channel,
    out,
    minVersion,
  }: { readonly channel: string; readonly out: string; readonly minVersion: number },
): string {
  if (fetched.ok) return `version ${fetched.model.manifest.version} of ${channel} is in ${out}\n`;
  switch (fetched.reason) {
    case "not-newer":
      return `${channel} has nothing newer than version ${minVersion - 1}\n`;
    case "no-version":
      return `${channel} has no version yet\n`;
    case "not-accepted":
      return `the version of ${channel} is none that was asked for (--max-bytes, --same-inputs)\n`;
    case "unknown-channel":
      throw new HeadwaterError("data-missing", `the server knows no channel or alias called ${channel}`);
  }
}

function outPath(text: string): string {
  if (isArchive(text)) return text;
  throw new InvalidArgumentError(`expected a name that ends in .tar, got "${text}".`);
}

function size(text: string): number {
  const { success, data } = byteSize.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError(`expected a size such as 2MB, got "${text}".`);
}
