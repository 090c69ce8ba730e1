import type { DeviceId } from "../../shared/id.js";
import type { RejectionReason, UpMessage } from "../../shared/wire/message.js";
import { updateIdOf } from "../../shared/wire/update.js";
import { refusalOf } from "../round/admission.js";
import type { Handler, IngestContext } from "./context.js";
import { repeatWord, settle } from "./settle.js";
import type { Upload } from "./staging.js";
import { updateBytesMax } from "./verify.js";

/** An upload is announced, or asked after: answered by its receipt, or by what is missing of it. */
export const handleBegin: Handler<"begin"> = async (context, device, begin) => {
  if (await repeatWord(context, device, begin)) return;
  const { updateId, round, kind, baseVersion } = begin;
  const reason = faultOf(context, device, begin);
  if (reason !== undefined) {
    await settle(context, { device, updateId, round, kind, baseVersion }, { ok: false, reason });
    return;
  }
  const upload = stage(context, device, begin);
  if (upload === undefined) {
    // Passes when others have settled: the device will ask again.
    context.drops.drop(device, "staging-full");
    return;
  }
  context.timeline.uploading(device, round);
  await context.coordinator.post({ type: "progressed", device, round });
  await context.downlink.send(device, "missing", {
    v: 1,
    updateId,
    ranges: context.staging.missing(upload),
  });
};

function faultOf(
  { coordinator, rulesOf, task }: IngestContext,
  device: DeviceId,
  begin: UpMessage<"begin">,
): RejectionReason | undefined {
  const refusal = refusalOf(coordinator.state, { ...begin, device });
  if (refusal !== undefined) return refusal;
  if (begin.updateId !== updateIdOf({ ...begin, task, device })) return "malformed";
  return begin.bytes > updateBytesMax(begin.kind, rulesOf(begin.baseVersion)) ? "too-large" : undefined;
}

/** The upload, new or resumed; undefined when there is no room for a new one. */
function stage(context: IngestContext, device: DeviceId, begin: UpMessage<"begin">): Upload | undefined {
  const { limits, staging } = context;
  const staged = staging.find(device, begin.updateId);
  if (staged !== undefined && staged.bytes === begin.bytes && staged.examples === begin.examples)
    return staged;
  if (staging.reservedBytes(device) + begin.bytes > limits.stagingBytes) return undefined;
  staging.announce(device, begin);
  return staging.find(device, begin.updateId);
}
