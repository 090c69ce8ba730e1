// The device's own file: where its server is, who it is, on which brokers its sensors are, and what it may be asked to
// bear. What is learned is not in it: that comes signed from the server.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import { explain } from "../../shared/task/explain.js";
import { describeIssue, problemsOf } from "../../shared/task/problem.js";
import { byteSize, share } from "../../shared/task/units.js";
import { readYaml } from "../../shared/task/yaml.js";
import { type Credential, parseCredential } from "../../shared/wire/credential.js";
import { type Labels, labelsSchema } from "../../shared/wire/message.js";
import { brokerUrl } from "../broker.js";
import { type HttpConfig, httpSchema } from "../http/config.js";
import type { SourceBinding } from "../ingest/sources/binding.js";
import { type RawLogConfig, rawLogSchema } from "../log/config.js";
import type { Rule } from "../rules/rule.js";
import { rulesSchema } from "../rules/schema.js";
import { parseQuietHours, type QuietHours } from "./owner.js";
import { type PredictionsConfig, predictionsOf, predictionsSchema } from "./prediction-config.js";
import { portProblems, problemsAmong, replayOf, sourceSchema, withSpeed } from "./source-config.js";

/** What a device is told by its owner, paths read. */
export interface DeviceConfig {
  readonly server: { readonly url: string; readonly ca: string | undefined };
  readonly credential: Credential;
  /** Data folder. */
  readonly data: string;
  readonly log: "debug" | "info" | "warn" | "error" | "silent";
  /** By the task's name for the source. */
  readonly sources: Readonly<Record<string, SourceBinding>>;
  /** All telemetry is a replay, so many times as fast as it happened; Infinity: as fast as it can be read. */
  readonly replay: number | undefined;
  readonly predictions: PredictionsConfig;
  readonly rules: readonly Rule[];
  readonly rawLog: RawLogConfig;
  /** Where it may be asked about itself; undefined: nowhere. */
  readonly http: HttpConfig | undefined;
  /** What the device is, in its owner's words: a trial may be for some only. */
  readonly labels: Labels;
  readonly limits: DeviceLimits;
}

/** What training must leave alone. */
export interface DeviceLimits {
  /** Most of each database's size on disk, in bytes. */
  readonly diskBytes: number;
  /** No training above this load average per core (1 = busy). */
  readonly maxLoad: number | undefined;
  /** No training with less free memory, in bytes. */
  readonly minFreeMemory: number | undefined;
  /** No training between these times of day, local time. */
  readonly quiet: QuietHours | undefined;
}

const file = z.string().min(1).max(4096);

const SPEED = /^(\d{1,9}(?:\.\d{1,3})?)x$/;
const SPEED_RULE = "expected a speed such as 3600x";

const schema = z
  .strictObject({
    server: brokerUrl.describe("The server's uplink broker."),
    ca: file.optional().describe("PEM file with the certificates to trust instead of the system's."),
    credential: file.describe("File that `headwater enrol` has written."),
    data: file.describe("Folder for everything the device keeps."),
    log: z.enum(["debug", "info", "warn", "error", "silent"]).prefault("info"),
    sources: z
      .record(z.string().max(64), sourceSchema)
      .prefault({})
      .describe("Where each of the task's sources is found."),
    replay: z
      .string({ error: SPEED_RULE })
      .regex(SPEED, { error: SPEED_RULE })
      .transform((text) => Number.parseFloat(text))
      .optional()
      .describe("Telemetry is replayed, so many times as fast as it happened."),
    predictions: predictionsSchema,
    rules: rulesSchema,
    rawLog: rawLogSchema,
    http: httpSchema,
    labels: labelsSchema
      .prefault({})
      .describe("What the device is: {site: lab}. A trial may be for some only."),
    limits: z
      .strictObject({
        disk: byteSize.prefault("1GB"),
        load: share.optional().describe("No training above this load of the machine."),
        freeMemory: byteSize.optional().describe("No training with less free memory."),
        quiet: z
          .string()
          .refine((text) => parseQuietHours(text) !== undefined, {
            error: "expected times of day such as 22:00-06:00",
          })
          .optional()
          .describe("No training between these times of day, local time."),
      })
      .prefault({}),
  })
  .superRefine(({ sources, replay, http }, context) => {
    for (const { path, message } of [...problemsAmong(sources, replay), ...portProblems(sources, http)]) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  });

type ConfigFile = z.infer<typeof schema>;

/**
 * Reads a config file and the credential it names; paths in it are relative to its folder. Throws `config-invalid`:
 * one line per problem, with its line in the file.
 */
export function loadDeviceConfig(path: string): DeviceConfig {
  const text = readText(path, "config");
  const parsed = parse(path, text);
  const at = (name: string) => resolve(dirname(path), name);
  const { server, ca, data, log, replay, predictions } = parsed;
  const credential = readCredential(at(parsed.credential));
  return {
    server: { url: server, ca: ca === undefined ? undefined : readText(at(ca), "ca") },
    credential,
    data: at(data),
    log,
    sources: Object.fromEntries(
      Object.entries(parsed.sources).map(([name, source]) => [name, settle(source, { at, replay })]),
    ),
    replay: replayOf(parsed.sources, replay),
    predictions: predictionsOf(predictions, credential.device),
    rules: parsed.rules,
    rawLog: parsed.rawLog,
    http: parsed.http,
    labels: parsed.labels,
    limits: limitsOf(parsed),
  };
}

/** Labels with others, which count for more. Throws `config-invalid` when there are too many together. */
export function withLabels(labels: Labels, others: Labels): Labels {
  const together = labelsSchema.safeParse({ ...labels, ...others });
  if (together.success) return together.data;
  throw invalid(together.error.issues.map(({ message }) => message).join("; "));
}

/** A binding with its path read and its speed settled. */
function settle(
  source: SourceBinding,
  { at, replay }: { readonly at: (path: string) => string; readonly replay: number | undefined },
): SourceBinding {
  const binding = withSpeed(source, replay);
  return binding.kind === "file" ? { ...binding, path: at(binding.path) } : binding;
}

function parse(path: string, text: string): ConfigFile {
  try {
    const { value, placeOf } = readYaml(text);
    const parsed = schema.safeParse(value, { error: describeIssue });
    if (parsed.success) return parsed.data;
    throw new HeadwaterError("config-invalid", explain(problemsOf(parsed.error, value), placeOf));
  } catch (cause) {
    if (!(cause instanceof HeadwaterError)) throw cause;
    throw invalid(`${path} is not a valid device config:\n${cause.message.replace(/^/gm, "  ")}`, cause);
  }
}

function limitsOf({ limits: { disk, load, freeMemory, quiet } }: ConfigFile): DeviceLimits {
  return {
    diskBytes: disk,
    maxLoad: load,
    minFreeMemory: freeMemory,
    quiet: quiet === undefined ? undefined : parseQuietHours(quiet),
  };
}

function readCredential(path: string): Credential {
  const parsed = parseCredential(readText(path, "credential"));
  if (parsed.ok) return parsed.credential;
  throw invalid(`${path} is no credential: ${parsed.problem}`);
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw invalid(`cannot read the ${what} ${path}: ${messageOf(cause)}`, cause);
  }
}

function invalid(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError("config-invalid", message, { cause });
}
