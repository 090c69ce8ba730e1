import type { Handler } from "./context.js";

/** A device says how its model and its data are: kept instead of its last report, and looked at with all others. Not more often than devices do. */
export const handleReport: Handler<"report"> = async (context, device, report) => {
  const { coordinator, devices, drops, fleetView, observe } = context;
  if (devices.publicKey(device) === undefined) {
    drops.drop(device, "unknown-device");
    return;
  }
  if (!fleetView.mayReport(device)) {
    drops.drop(device, "too-many-reports");
    return;
  }
  fleetView.hear(device, report);
  observe({ type: "reported", device, report });
  for (const occurrence of fleetView.look(coordinator.state, device)) await coordinator.post(occurrence);
};
