import type { Handler } from "./context.js";

/** A member will not deliver this round: the coordinator asks another. */
export const handleDecline: Handler<"decline"> = async (context, device, { round, reason }) => {
  if (context.devices.publicKey(device) === undefined) context.drops.drop(device, "unknown-device");
  else await context.coordinator.post({ type: "declined", device, round, reason });
};
