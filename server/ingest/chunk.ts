import { isLeaseDue } from "../round/membership.js";
import type { Handler } from "./context.js";

/** A part of an upload. Not answered: `commit` brings what is still missing. */
export const handleChunk: Handler<"chunk"> = async (context, device, { updateId, offset, data }) => {
  const { clock, coordinator, drops, leaseMs, staging } = context;
  const upload = staging.find(device, updateId);
  if (upload === undefined) {
    drops.drop(device, "chunk-unannounced");
    return;
  }
  const refusal = staging.add(upload, offset, data);
  if (refusal !== undefined) {
    drops.drop(device, `chunk-${refusal}`);
    return;
  }
  const nowMs = clock.now();
  await staging.secure(nowMs);
  if (isLeaseDue(coordinator.state, device, { nowMs, leaseMs })) {
    await coordinator.post({ type: "progressed", device, round: upload.round });
  }
};
