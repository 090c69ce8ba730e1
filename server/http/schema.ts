// What the API says, field by field: from these come its types, its OpenAPI document and what is sent.
// A field that does not apply is left out; times are milliseconds since the Unix epoch.

import { z } from "zod";
import { roundKindSchema } from "../../shared/wire/message.js";

const count = z.int().min(0);
const timeMs = z.int();
const byReason = z.record(z.string(), count);
const metrics = z.record(z.string(), z.number());

const memberSchema = z.object({
  device: z.string(),
  status: z.enum(["assigned", "accepted", "expired", "declined", "rejected", "unfinished"]),
  selectedMs: timeMs.optional(),
  pulledMs: timeMs.optional().describe("the last part of a model was sent to it"),
  uploadingMs: timeMs.optional().describe("it announced its update"),
  endedMs: timeMs.optional(),
  reason: z.string().optional().describe("why it was rejected, declined or given up"),
  replacedBy: z.string().optional(),
  examples: count.optional(),
});

export const openRoundSchema = z.object({
  round: count,
  kind: roundKindSchema,
  baseVersion: count.describe("version the round starts from; 0 in a fit round"),
  openedMs: timeMs.optional(),
  deadlineMs: timeMs,
  target: count.describe("updates that close the round at once"),
  quorum: count.describe("updates that let it close at its deadline"),
  isClosing: z.boolean().describe("its updates are being folded"),
  members: z.array(memberSchema),
});

export const deviceSchema = z.object({
  device: z.string(),
  isEnrolled: z.boolean(),
  enrolledMs: timeMs.optional(),
  isConnected: z.boolean(),
  seenMs: timeMs.optional().describe("when it last said hello since the server started"),
  stable: count.optional().describe("version it serves"),
  isEligible: z.boolean().describe("it could train now"),
  reason: z.string().optional().describe("why not, in its own words"),
  examples: z.object({ train: count, validation: count }),
  rejected: byReason.describe("updates refused since the server started, by reason"),
  bytesUp: count.optional().describe("of payloads received from it since the server started"),
  bytesDown: count.optional().describe("of payloads sent to it"),
  labels: z.record(z.string(), z.string()).optional(),
  quarantined: z.string().optional().describe("why it is left out of rounds"),
});

const comparisonSchema = z.object({
  rung: count.describe("which comparison, from 1"),
  rounds: count.describe("train rounds it had had by then"),
  version: count.describe("that was scored"),
  devices: count.describe("compared on"),
  rows: count,
  value: z.number().optional().describe("pooled over devices"),
  worst: z.number().optional().describe("as good as this or better on nine devices of ten"),
  latencyUs: z.number().optional().describe("mean time to score a row on the devices"),
  behind: z
    .object({ mean: z.number(), low: z.number(), high: z.number() })
    .optional()
    .describe(
      "how much worse than the last that was sure to go on, paired by device, with its 95 % interval; absent for those that were sure",
    ),
});

export const selectionSchema = z.object({
  metric: z.string().describe("what candidates are compared by"),
  rungs: z.array(count).describe("train rounds each has had at every comparison"),
  rung: count.describe("comparisons made"),
  winner: z.string().optional().describe("the one that is left; absent while they are compared"),
  candidates: z.array(
    z.object({
      name: z.string(),
      parameters: count,
      bytes: count.describe("of its params on the wire"),
      version: count.describe("its newest; 0: none yet"),
      rounds: count.describe("train rounds it has had"),
      out: z.string().optional().describe("why it is out; absent while it is in"),
      value: z.number().optional().describe("when last compared, pooled over devices"),
      worst: z.number().optional().describe("as good as this or better on nine devices of ten"),
      latencyUs: z.number().optional().describe("mean time to score a row on the devices"),
      scoredRounds: count.optional().describe("train rounds it had had by then"),
      rows: count.optional(),
      devices: count.optional().describe("compared on"),
      comparisons: z.array(comparisonSchema).describe("it was scored in, oldest first"),
    }),
  ),
  excluded: z
    .array(z.object({ name: z.string(), reason: z.string() }))
    .describe("beyond the task's limits, and not tried"),
});

const trialSchema = z.object({
  version: count,
  mode: z.enum(["shadow", "canary"]),
  step: count.describe("from 1"),
  steps: count,
  share: z.number().optional().describe("of the fleet, 0 to 1"),
  labels: z.record(z.string(), z.string()).optional(),
  sinceMs: timeMs,
  note: z.string().optional().describe("how it fares, in words"),
  failed: z
    .array(z.object({ device: z.string(), reason: z.string(), detail: z.string() }))
    .optional()
    .describe("devices that say that it does not work there, or could not be taken up; at most 16"),
  evidence: z
    .object({
      devices: count.describe("in the trial"),
      reporting: count.describe("of them, with a recent report on it"),
      failed: count.describe("of them, where it did not work"),
      rows: count.describe("it has answered"),
      labelled: count.describe("answered by the stable version too, and labelled by now"),
      value: z.number().optional().describe("the gate's metric over these"),
      reference: z.number().optional().describe("that of the stable version over the same"),
    })
    .optional()
    .describe("what devices report of it"),
});

const actionsSchema = z.object({
  isAvailable: z.boolean(),
  reason: z.string().optional().describe("why not"),
  needsToken: z.boolean(),
});

export const statusSchema = z.object({
  task: z.string(),
  version: z.string().describe("of Headwater"),
  startedMs: timeMs,
  nowMs: timeMs,
  isReady: z.boolean(),
  notReady: z.string().optional().describe("why not"),
  open: openRoundSchema.optional(),
  rounds: count.describe("rounds opened so far, of all kinds"),
  trainRounds: count.describe("train rounds completed"),
  trainRoundsMax: count,
  trainFromMs: timeMs.optional().describe("no train round opens before; absent: as soon as it can"),
  head: count.describe("version the next round starts from; 0: none yet"),
  stable: count.describe("version devices serve; 0: none yet"),
  metric: z.string().describe("what the gate looks at"),
  stableValue: z.number().optional().describe("of the stable version, by that metric"),
  finished: z.string().optional().describe("why training is over"),
  retrainUntil: count.optional().describe("the fleet learns anew up to this train round"),
  fleet: z.object({ enrolled: count, connected: count, heard: count }),
  devices: z.array(deviceSchema).describe("the first by id; all of them are at /api/devices"),
  broker: z.object({
    kind: z.enum(["embedded", "external"]),
    urls: z.array(z.string()),
    isConnected: z.boolean(),
    connections: count.optional(),
    bytesUp: count.optional().describe("received from devices"),
    bytesDown: count.optional().describe("sent to devices"),
  }),
  counters: byReason.describe("everything accepted, rejected, dropped or failed, since the server started"),
  actions: actionsSchema.describe("what can be changed over this API"),
  selection: selectionSchema.optional().describe("the task's candidates; all of it is at /api/selection too"),
  trial: trialSchema.optional().describe("a version on trial with a part of the fleet"),
  drift: z
    .object({
      devices: count.describe("their last report is not out of date"),
      drifting: count.describe("those of them that drift"),
      silent: count.describe("their last report is out of date: they count for nothing"),
      updatedMs: timeMs.describe("when the last report came"),
    })
    .optional()
    .describe("what devices report of themselves; absent before the first report"),
});

export const roundSchema = z.object({
  round: count,
  kind: roundKindSchema,
  baseVersion: count,
  openedMs: timeMs.optional(),
  closedMs: timeMs.optional(),
  outcome: z.enum(["open", "completed", "abandoned"]),
  version: count.optional().describe("version it made"),
  members: count.optional().describe("devices asked, replacements included"),
  accepted: count.optional().describe("members whose update counts"),
  rejected: count.optional().describe("members whose update was refused"),
  metrics: metrics.optional().describe("what an evaluate round measured, pooled over its devices"),
  candidates: z
    .array(z.string())
    .optional()
    .describe("while they are compared: the one it trained, or those it scored; metrics are of the first"),
});

export const roundsSchema = z.object({
  rounds: z.array(roundSchema).describe("newest first"),
  next: count.optional().describe("`before` of the next page; absent on the last"),
});

export const roundDetailSchema = roundSchema.extend({
  members: z.array(memberSchema).describe("every device asked; empty when that is not remembered (any more)"),
});

export const roundParamsSchema = z.strictObject({ round: count });
export const modelParamsSchema = z.strictObject({ version: count.min(1) });
export const aliasParamsSchema = z.strictObject({ name: z.string().min(1).max(64) });
export const actionBodySchema = z.strictObject({});
export const aliasBodySchema = z.strictObject({ version: count.min(1) });
export const doneSchema = z.object({ done: z.literal(true) });

export const metricsQuerySchema = z.strictObject({
  limit: count.min(1).max(2000).default(500),
  before: count.optional().describe("only rounds below this number"),
});

export const metricPointsSchema = z.object({
  points: z
    .array(
      z.object({
        ...{ round: count, version: count, closedMs: timeMs.optional(), metrics },
        candidates: z.array(z.string()).optional().describe("scored side by side; metrics are of the first"),
      }),
    )
    .describe("evaluate rounds, oldest first: the newest ones below `before`"),
  next: count.optional().describe("`before` of the page of older ones; absent on the last"),
});

export const driftQuerySchema = z.strictObject({
  limit: count.min(1).max(1000).default(200),
  after: z
    .string()
    .max(64)
    .optional()
    .describe("only devices behind this id, by id; absent: those that drift most, first"),
});

export const driftSchema = z.object({
  columns: z.array(z.string()),
  devices: z
    .array(
      z.object({
        device: z.string(),
        reportedMs: timeMs,
        isSilent: z.boolean().describe("that report is out of date, and counts for nothing"),
        scores: z
          .array(z.number().nullable())
          .describe(
            "one per column: statistic over its threshold, so that 1 is drift; null: not enough rows",
          ),
      }),
    )
    .describe("empty before the first report"),
  total: count.describe("devices that have reported"),
  silentAfterMs: count.describe(
    "age from which a report is out of date: three times the interval of reports",
  ),
  next: z.string().optional().describe("`after` of the next page; absent on the last, and without `after`"),
});

export const taskViewSchema = z.object({
  task: z.string(),
  yaml: z.string().describe("what the author wrote, without `simulate`"),
  taskHash: z.string(),
  pipelineHash: z.string(),
  columns: z.array(z.string()),
  params: count,
  bytesPerUpdate: count,
  stateBytesPerEntity: count,
  pendingBytesPerEntity: count,
  gapMs: count,
  warmUpMs: count,
  warmUpRows: count,
  parts: z.array(
    z.object({
      where: z.string(),
      name: z.string(),
      columns: count,
      stateBytes: count,
      warmUpMs: count,
      warmUpRows: count,
    }),
  ),
});

export const modelSchema = z.object({
  version: count,
  parent: count.describe("version it was made from; 0: none"),
  sha256: z.string(),
  bytes: count,
  fingerprint: z.string(),
  modelSignature: z.string(),
  createdMs: timeMs,
  expiresMs: timeMs,
  isHead: z.boolean(),
  isStable: z.boolean(),
  trial: z.enum(["shadow", "canary"]).optional().describe("it is on trial, in this way"),
  aliases: z.array(z.string()).describe("names that people gave it"),
  candidate: z.string().optional().describe("of the task's candidates, the one that it is of"),
  evaluation: z
    .object({ round: count, rows: count, devices: count.optional(), metrics })
    .optional()
    .describe("what devices made of it"),
});

export const modelsSchema = z.object({ models: z.array(modelSchema).describe("newest first") });

export const devicesSchema = z.object({
  devices: z.array(deviceSchema).describe("by id"),
  next: z.string().optional().describe("`after` of the next page; absent on the last"),
});

const recordSchema = z.object({
  record: z.record(z.string(), z.unknown()),
  sha256: z.string().describe("of the record's RFC 8785 JSON"),
  signature: z.string().describe("Ed25519, base64, by the server's key"),
});

export const lineageSchema = z.object({
  publicKey: z.string().describe("the server's Ed25519 key, base64"),
  lineage: z
    .array(z.object({ run: recordSchema, verdict: recordSchema.optional() }))
    .describe("the version, its parent, the parent's parent and so on"),
  next: count.optional().describe("version to go on with; absent at the end of what is known"),
});

export const healthSchema = z.object({
  status: z.enum(["ok", "not-ready"]),
  reason: z.string().optional(),
});

export const problemSchema = z.object({
  error: z.string().describe("a stable word"),
  message: z.string(),
});

export const roundsQuerySchema = z.strictObject({
  limit: count.min(1).max(500).default(50),
  before: count.optional().describe("only rounds below this number"),
});

export const devicesQuerySchema = z.strictObject({
  limit: count.min(1).max(1000).default(100),
  after: z.string().max(64).optional().describe("only devices behind this id"),
  connected: z.boolean().optional().describe("only those that are, or are not, connected"),
});

export const lineageQuerySchema = z.strictObject({
  limit: count.min(1).max(100).default(20).describe("most versions"),
});

/** The status without its lists: they are sent apart, and only what changed of them. */
export const liveStatusSchema = statusSchema
  .omit({ devices: true })
  .extend({ open: openRoundSchema.omit({ members: true }).optional() });

export type LiveStatus = z.infer<typeof liveStatusSchema>;
export type MemberView = z.infer<typeof memberSchema>;
export type TrialView = z.infer<typeof trialSchema>;
export type ActionsView = z.infer<typeof actionsSchema>;
export type RoundDetailView = z.infer<typeof roundDetailSchema>;
export type MetricPointsView = z.infer<typeof metricPointsSchema>;
export type DriftView = z.infer<typeof driftSchema>;
export type TaskView = z.infer<typeof taskViewSchema>;
export type LineageView = z.infer<typeof lineageSchema>;
export type StatusView = z.infer<typeof statusSchema>;
export type OpenRoundView = z.infer<typeof openRoundSchema>;
export type SelectionView = z.infer<typeof selectionSchema>;
export type RoundView = z.infer<typeof roundSchema>;
export type RoundsView = z.infer<typeof roundsSchema>;
export type ModelView = z.infer<typeof modelSchema>;
export type ModelsView = z.infer<typeof modelsSchema>;
export type DeviceView = z.infer<typeof deviceSchema>;
export type DevicesView = z.infer<typeof devicesSchema>;
export type RoundsQuery = z.infer<typeof roundsQuerySchema>;
export type DriftQuery = z.infer<typeof driftQuerySchema>;
export type DevicesQuery = z.infer<typeof devicesQuerySchema>;
