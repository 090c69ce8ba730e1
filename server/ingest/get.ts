import type { Handler } from "./context.js";

/** A device pulls a part of a blob. Which one it may have does not matter: blobs hold no secret from the fleet. */
export const handleGet: Handler<"get"> = async (context, device, { sha256, offset, length }) => {
  const { devices, downlink, drops, timeline, versions } = context;
  const refuse = (reason: string) => downlink.send(device, "refusal", { v: 1, sha256, reason });
  if (devices.publicKey(device) === undefined) {
    drops.drop(device, "unknown-device");
    return refuse("unknown-device");
  }
  const total = versions.blobBytes(sha256);
  if (total === undefined) return refuse("unknown-blob");
  const data = versions.readBlob(sha256, offset, length);
  if (data === undefined || data.length === 0) return refuse(`offset beyond ${total} bytes`);
  timeline.pulled(device);
  return downlink.send(device, "block", { v: 1, sha256, offset, total, data });
};
