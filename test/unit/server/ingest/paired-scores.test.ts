// What the server takes and refuses of an evaluate update that scores several versions.

import { expect, test } from "vitest";
import type { Upload } from "../../../../server/ingest/staging.js";
import { verifyUpload } from "../../../../server/ingest/verify.js";
import type { UpdateId } from "../../../../shared/id.js";
import { emptyMetricSums, type MetricSums } from "../../../../shared/model/metric.js";
import { sha256Hex } from "../../../../shared/task/canonical.js";
import { generateKeys, signUpdate } from "../../../../shared/wire/signature.js";
import type { UpdateHeader } from "../../../../shared/wire/update.js";
import { encodeUpdate } from "../../../../shared/wire/update-frame.js";
import { deviceId, taskId } from "../../../support/device-kit.js";

const keys = generateKeys();
const [task, device] = [taskId("pumps"), deviceId("pump-1")];
const sums: MetricSums = { ...emptyMetricSums, rows: 5, squaredError: 2 };

const paired = { sums: [sums, sums], elapsedMs: [1, 1, 1] };
/** Of an update that scores nothing beside its own version. */
const alone = { sums: [], elapsedMs: [1] };

function judge({ beside: scores = paired, ...changes }: Partial<UpdateHeader>, beside = 2) {
  const header: UpdateHeader = {
    ...{ task, device, round: 3, kind: "evaluate", baseVersion: 4, modelSignature: "m", examples: 5 },
    ...{ train: null, fit: null, evaluate: sums },
    // What is not there is not in the frame either.
    ...(scores !== alone && { beside: scores }),
    ...changes,
  };
  const bytes = encodeUpdate(header, undefined);
  const sha256 = sha256Hex(bytes);
  const updateId = "u" as UpdateId;
  const upload: Upload = {
    ...{ device, updateId, sha256, round: 3, kind: "evaluate", baseVersion: 4 },
    ...{ examples: header.examples, bytes: bytes.length, received: bytes.length, chunks: 1 },
  };
  const signature = signUpdate(keys.privateKey, { task, device, round: 3, updateId, sha256 });
  const sender = { device, publicKey: keys.publicKey, signature, modelSignature: "m" };
  const rules = {
    ...{ task, count: 1, fingerprint: "f", columns: 1, isBinary: false, examplesMax: 100, beside },
    quantiles: { features: false, label: false },
  };
  return verifyUpload(upload, bytes, sender, rules);
}

test("scores of all versions are taken", () => {
  expect(judge({})).toMatchObject({ ok: true, sums, beside: { sums: [sums, sums] } });
});

test("a version whose errors were no numbers has no rows; when that is so of all, there is no update", () => {
  const none = { sums: [emptyMetricSums, sums], elapsedMs: [1, 1, 1] };
  expect(judge({ beside: none })).toMatchObject({ ok: true });
  expect(judge({ evaluate: emptyMetricSums })).toMatchObject({ ok: true });
  const nothing = { sums: [emptyMetricSums, emptyMetricSums], elapsedMs: [1, 1, 1] };
  const all = { evaluate: emptyMetricSums, beside: nothing, examples: 0 };
  expect(judge(all)).toEqual({ ok: false, reason: "no-examples" });
});

test.each<[string, Partial<UpdateHeader>]>([
  [
    "other rows than the round's own",
    { beside: { sums: [sums, { ...sums, rows: 4 }], elapsedMs: [1, 1, 1] } },
  ],
  ["errors over no rows", { beside: { sums: [sums, { ...sums, rows: 0 }], elapsedMs: [1, 1, 1] } }],
  ["fewer versions than were asked for", { beside: { sums: [sums], elapsedMs: [1, 1] } }],
  ["no word on the others", { beside: alone }],
  ["times of other versions", { beside: { sums: [sums, sums], elapsedMs: [1, 1] } }],
])("%s is malformed", (_, changes) => {
  expect(judge(changes)).toEqual({ ok: false, reason: "malformed" });
});

test("scores that nobody asked for are malformed", () => {
  expect(judge({}, 0)).toEqual({ ok: false, reason: "malformed" });
  expect(judge({ beside: alone }, 0)).toMatchObject({ ok: true });
});
