// The end of an update's way in: the server's word on it.

import type { DeviceId } from "../../shared/id.js";
import type { UpMessage } from "../../shared/wire/message.js";
import type { Announcement, Verdict } from "../round/event.js";
import type { IngestContext } from "./context.js";

/** Has the coordinator give its word; durable before it is sent, and before this resolves. */
export async function settle(context: IngestContext, update: Announcement, verdict: Verdict): Promise<void> {
  const { coordinator, drops, limits, receipts } = context;
  if (receipts.count(update.device, update.round) >= limits.receiptsPerRound) {
    drops.drop(update.device, "too-many-updates");
    return;
  }
  await coordinator.post({ type: "update", ...update, verdict });
}

/**
 * Gives the word that was given before, or that needs no thought because the device is a stranger. True when
 * there was such a word.
 */
export async function repeatWord(
  context: IngestContext,
  device: DeviceId,
  { updateId, round }: UpMessage<"begin" | "commit">,
): Promise<boolean> {
  const { counters, devices, downlink, observe, receipts } = context;
  if (devices.publicKey(device) === undefined) {
    const reason = "unknown-device";
    counters.add(`update-rejected.${reason}`);
    observe({ type: "update-rejected", round, device, updateId, reason });
    const receipt = receipts.sign({ device, updateId, round, status: "rejected", reason });
    await downlink.send(device, "receipt", receipt);
    return true;
  }
  const receipt = receipts.find(device, updateId);
  if (receipt === undefined) return false;
  counters.add("update-duplicate");
  observe({ type: "update-duplicate", round: receipt.round, device, updateId });
  await downlink.send(device, "receipt", receipt);
  return true;
}
