// `sources` in a device's config: where each of the task's sources is found, and how much of it is taken.

import { z } from "zod";
import { isLoopback } from "../../shared/address.js";
import { assert } from "../../shared/assert.js";
import { alternatives } from "../../shared/task/problem.js";
import { bytesWithin, durationWithin } from "../../shared/task/units.js";
import { isFilter, isTopic } from "../../shared/transport/topic-filter.js";
import { brokerShape, endpointOf } from "../broker.js";
import { type HttpConfig, tokenSchema } from "../http/config.js";
import { defaultSourceLimits, type SourceBinding, type SourceLimits } from "../ingest/sources/binding.js";
import { isPattern } from "../ingest/sources/file-sequence.js";

const RATE = /^(\d{1,6}(?:\.\d{1,3})?)\/(s|m|h)$/;
const RATE_RULE = "expected messages per time, such as 50/s or 10/m";
const RATE_SECONDS = { s: 1, m: 60, h: 3600 } as const;

const rate = z
  .string({ error: RATE_RULE })
  .regex(RATE, { error: RATE_RULE })
  .transform((text) => {
    const [, count, unit] = RATE.exec(text) ?? [];
    return Number(count) / RATE_SECONDS[unit === "m" || unit === "h" ? unit : "s"];
  })
  .refine((perSecond) => perSecond > 0, { error: "expected more than none" });

const limit = z.strictObject({
  rate: rate
    .optional()
    .describe("Messages in the long run. A broker or a file waits; a sender over HTTP is told to."),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .prefault(defaultSourceLimits.burst)
    .describe("Messages at once above that."),
  messages: z
    .int()
    .min(1)
    .max(100_000)
    .prefault(defaultSourceLimits.messages)
    .describe("Most messages that have come and are not safe yet."),
  size: bytesWithin({ min: 1024, max: 1024 ** 3 })
    .prefault("4MiB")
    .describe("Most bytes of them."),
});

const SPEED = /^(?:(\d{1,9}(?:\.\d{1,3})?)x|max)$/;
const SPEED_RULE = "expected a speed such as 3600x, or max";

/** Times as fast as it happened; Infinity: as fast as it can be read. */
const speed = z
  .string({ error: SPEED_RULE })
  .regex(SPEED, { error: SPEED_RULE })
  .transform((text) => (text === "max" ? Infinity : Number.parseFloat(text)))
  .refine((factor) => factor > 0, { error: SPEED_RULE });

const PATH_RULE = "expected a path such as /ingest/meter";
const http = z.strictObject({
  port: z.int().min(0).max(65_535).describe("Sources on one port have different paths."),
  host: z
    .string()
    .min(1)
    .max(255)
    .prefault("127.0.0.1")
    .describe("Address to listen at; whoever is not on this machine needs a token."),
  path: z
    .string({ error: PATH_RULE })
    .max(256)
    .regex(/^\/(?:[A-Za-z0-9_.~-]+(?:\/[A-Za-z0-9_.~-]+)*)?$/, { error: PATH_RULE }),
  token: tokenSchema.optional().describe("Senders must have it: Authorization: Bearer TOKEN."),
});

const host = z.strictObject({
  every: durationWithin({ min: 1000, max: 3_600_000 }).prefault("10s"),
});

const kindKeys = ["broker", "http", "file", "stdin", "host"] as const;
type KindKey = (typeof kindKeys)[number];

/** Keys that go with some kinds only. */
const companions: Readonly<Record<string, readonly KindKey[]>> = {
  username: ["broker"],
  password: ["broker"],
  persistent: ["broker"],
  follow: ["file"],
  speed: ["file", "stdin"],
  limit: ["broker", "http", "file", "stdin"],
};

const written = z.strictObject({
  ...brokerShape,
  broker: brokerShape.broker.optional(),
  http: http.optional(),
  file: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe("A path; * and ? in its name stand for several files."),
  stdin: z.literal(true, { error: "expected true" }).optional(),
  host: host.optional(),
  topic: z.string().min(1).max(512).optional(),
  persistent: z
    .boolean()
    .optional()
    .describe("The broker keeps messages for this device while it is away. Default: true."),
  follow: z
    .boolean()
    .optional()
    .describe("Goes on with what is appended, and with the file that takes its place."),
  speed: speed.optional(),
  limit: limit.optional(),
});

type Written = z.infer<typeof written>;

/** One source as its owner writes it. A file's path is still as written. */
export const sourceSchema = written
  .superRefine((source, context) => {
    for (const { key, message } of problemsIn(source)) {
      context.addIssue({ code: "custom", path: key === undefined ? [] : [key], message });
    }
  })
  .transform(bindingOf);

interface SourceProblem {
  readonly key?: string;
  readonly message: string;
}

function problemsIn(source: Written): readonly SourceProblem[] {
  const found = kindKeys.filter((key) => source[key] !== undefined);
  const [kind] = found;
  if (kind === undefined || found.length > 1) {
    const got = found.length === 0 ? "none of them" : found.join(" and ");
    return [{ message: `expected exactly one of ${kindKeys.join(", ")}: there is ${got}` }];
  }
  const strangers = Object.entries(companions)
    .filter(([key, goesWith]) => Object.hasOwn(source, key) && !goesWith.includes(kind))
    .map(([key, goesWith]) => ({ key, message: `goes with ${alternatives(goesWith)}, not with "${kind}"` }));
  return [...strangers, ...topicProblems(kind, source), ...httpProblems(source), ...fileProblems(source)];
}

function topicProblems(kind: KindKey, { topic }: Written): readonly SourceProblem[] {
  if (topic === undefined) return [];
  if (kind === "broker") {
    return isFilter(topic) ? [] : [{ key: "topic", message: "expected an MQTT topic filter" }];
  }
  return isTopic(topic) ? [] : [{ key: "topic", message: "expected a topic: only a broker has filters" }];
}

function httpProblems({ http }: Written): readonly SourceProblem[] {
  if (http === undefined || http.token !== undefined || isLoopback(http.host)) return [];
  const message = `whoever reaches ${http.host} could send what it likes: expected a token, or host 127.0.0.1`;
  return [{ key: "http", message }];
}

function fileProblems({ file, follow = false, speed }: Written): readonly SourceProblem[] {
  if (file === undefined || !follow) return [];
  const problems: SourceProblem[] = [];
  if (file.endsWith(".gz") && !isPattern(file)) {
    problems.push({ key: "follow", message: "a packed file does not grow" });
  }
  if (speed !== undefined) problems.push({ key: "speed", message: "what is followed comes as it happens" });
  return problems;
}

interface ConfigProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** What is wrong with the sources together. `replay`: the speed of everything, as the config says it. */
export function problemsAmong(
  sources: Readonly<Record<string, SourceBinding>>,
  replay: number | undefined,
): readonly ConfigProblem[] {
  const taken = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, binding] of Object.entries(sources)) {
    const place = placeOf(binding);
    const other = place === undefined ? undefined : taken.get(place);
    if (other !== undefined)
      problems.push({ path: ["sources", name], message: `${other} has ${place} already` });
    if (place !== undefined) taken.set(place, name);
  }
  return [...problems, ...speedProblems(sources, replay)];
}

/** Sources that would listen where the device itself does. */
export function portProblems(
  sources: Readonly<Record<string, SourceBinding>>,
  http: HttpConfig | undefined,
): readonly ConfigProblem[] {
  if (http === undefined || http.port === 0) return [];
  return Object.entries(sources)
    .filter(([, binding]) => binding.kind === "http" && binding.port === http.port)
    .map(([name]) => ({
      path: ["sources", name],
      message: `port ${http.port} is where the device itself answers (http.listen)`,
    }));
}

/** What only one source can have. */
function placeOf(binding: SourceBinding): string | undefined {
  if (binding.kind === "stdin") return "the standard input";
  if (binding.kind === "http") return `path ${binding.path} of port ${binding.port}`;
  return undefined;
}

// Event time runs as fast for all: with two speeds, or beside what happens now, one would be late or from the future.
function speedProblems(
  sources: Readonly<Record<string, SourceBinding>>,
  replay: number | undefined,
): readonly ConfigProblem[] {
  const speeds = Object.entries(sources).map(([name, binding]) => ({
    name,
    speed: speedOf(binding, replay),
  }));
  const paced = speeds.filter(({ speed }) => speed !== undefined && speed !== Infinity);
  const wanted = replay ?? paced[0]?.speed;
  if (wanted === undefined) return [];
  // Under `replay` whatever comes live is a replay that somebody else makes.
  const others = speeds.filter(
    ({ speed }) => speed !== wanted && (replay === undefined || speed !== undefined),
  );
  return others.slice(0, 1).map(({ name, speed }) => ({
    path: ["sources", name],
    message: `a replay is of all sources at one speed: this is ${describeSpeed(speed)}, another is ${wanted}x`,
  }));
}

function describeSpeed(speed: number | undefined): string {
  if (speed === undefined) return "live";
  return speed === Infinity ? "as fast as possible" : `${speed}x`;
}

/** The speed of everything, if everything is a replay: event time is judged by it. Infinity: by the data alone. */
export function replayOf(
  sources: Readonly<Record<string, SourceBinding>>,
  replay: number | undefined,
): number | undefined {
  if (replay !== undefined) return replay;
  const speeds = new Set(Object.values(sources).map((binding) => speedOf(binding, replay)));
  const [speed] = speeds;
  return speeds.size === 1 ? speed : undefined;
}

/** With its speed settled: a file that nothing else is said of is read as fast as it can be. */
export function withSpeed(binding: SourceBinding, replay: number | undefined): SourceBinding {
  return "speed" in binding ? { ...binding, speed: speedOf(binding, replay) } : binding;
}

function speedOf(binding: SourceBinding, replay: number | undefined): number | undefined {
  if (!("speed" in binding)) return undefined;
  const isHistory = binding.kind === "file" && !binding.isFollowed;
  return binding.speed ?? (isHistory ? (replay ?? Infinity) : undefined);
}

function bindingOf(source: Written): SourceBinding {
  const { topic, limit, broker, http, file, stdin, follow = false, persistent = true } = source;
  const common = { topic, limits: limitsOf(limit) };
  if (broker !== undefined) {
    const endpoint = endpointOf({ ...source, broker });
    return { kind: "mqtt", ...common, endpoint, isPersistent: persistent };
  }
  if (http !== undefined) return { kind: "http", ...common, ...http, token: http.token };
  if (file !== undefined) {
    return { kind: "file", ...common, path: file, isFollowed: follow, speed: source.speed };
  }
  if (stdin !== undefined) return { kind: "stdin", ...common, speed: source.speed };
  assert(source.host !== undefined, "the check has found one kind of source");
  return { kind: "host", ...common, everyMs: source.host.every };
}

function limitsOf(limit: Written["limit"]): SourceLimits {
  if (limit === undefined) return defaultSourceLimits;
  const { rate, burst, messages, size } = limit;
  return { rate, burst, messages, bytes: size };
}
