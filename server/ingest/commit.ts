import { assert } from "../../shared/assert.js";
import type { DeviceId } from "../../shared/id.js";
import type { UpMessage } from "../../shared/wire/message.js";
import { refusalOf } from "../round/admission.js";
import type { Announcement, Verdict } from "../round/event.js";
import type { Handler, IngestContext } from "./context.js";
import { repeatWord, settle } from "./settle.js";
import type { Upload } from "./staging.js";
import { verifyUpload } from "./verify.js";

/** All is sent: answered by the receipt, which is durable by then, or by what is missing. */
export const handleCommit: Handler<"commit"> = async (context, device, commit) => {
  if (await repeatWord(context, device, commit)) return;
  const { coordinator, downlink, drops, staging } = context;
  const { updateId, round } = commit;
  const upload = staging.find(device, updateId);
  const isAnnounced = upload?.round === round && upload.sha256 === commit.sha256;
  const update: Announcement = isAnnounced
    ? { device, updateId, round, kind: upload.kind, baseVersion: upload.baseVersion }
    : { device, updateId, round, kind: undefined, baseVersion: undefined };
  const reason = refusalOf(coordinator.state, update);
  if (reason !== undefined) return settle(context, update, { ok: false, reason });
  if (!isAnnounced) {
    drops.drop(device, "commit-unannounced");
    return;
  }
  const ranges = staging.missing(upload);
  if (ranges.length > 0) return downlink.send(device, "missing", { v: 1, updateId, ranges });
  // Files go to the disk while their content is judged.
  const [verdict] = await Promise.all([judge(context, device, { upload, commit }), staging.sync(upload)]);
  return settle(context, update, verdict);
};

interface Committed {
  readonly upload: Upload;
  readonly commit: UpMessage<"commit">;
}

async function judge(
  context: IngestContext,
  device: DeviceId,
  { upload, commit }: Committed,
): Promise<Verdict> {
  const { devices, registry, rulesOf, scratch, staging, verifyThread } = context;
  const rules = rulesOf(upload.baseVersion);
  const publicKey = devices.publicKey(device);
  assert(publicKey !== undefined, "a stranger's commit is answered before");
  const manifest = upload.kind === "fit" ? undefined : registry.manifest(upload.baseVersion);
  const modelSignature = manifest?.modelSignature ?? null;
  const sender = { device, publicKey, signature: commit.signature, modelSignature };
  const path = staging.pathOf(upload);
  if (path !== undefined && verifyThread !== undefined) {
    return verifyThread.verify({ path, upload, sender, rules });
  }
  return verifyUpload(upload, staging.assemble(upload, scratch), sender, { ...rules, scratch });
}
