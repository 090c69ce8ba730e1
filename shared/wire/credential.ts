// What a device holds to prove who it is, and to know its server: one small JSON file that `headwater enrol` writes
// and the device's owner copies onto it. It is a secret.

import { z } from "zod";
import { messageOf } from "../error.js";
import { type DeviceId, parseDeviceId, parseTaskId, type TaskId } from "../id.js";

const base64 = (bytes: number) =>
  z.string().refine((text) => Buffer.from(text, "base64").length === bytes, {
    error: `expected ${bytes} bytes in base64`,
  });

const credentialSchema = z.strictObject({
  v: z.literal(1),
  device: z.string().refine((text) => parseDeviceId(text) !== undefined, { error: "not a device id" }),
  task: z.string().refine((text) => parseTaskId(text) !== undefined, { error: "not a task id" }),
  password: z.string().min(16).max(128),
  privateKey: base64(32),
  serverKey: base64(32),
});

/** A device's credential. */
export interface Credential {
  /** Also its user name and client id at the broker. */
  readonly device: DeviceId;
  readonly task: TaskId;
  /** The device's at the broker. */
  readonly password: string;
  /** Seed of the device's Ed25519 key (RFC 8032, section 5.1.5): 32 bytes. */
  readonly privateKey: Uint8Array;
  /** The server's Ed25519 public key, raw: 32 bytes. What it has not signed, the device does not believe. */
  readonly serverKey: Uint8Array;
}

/** The file's text. */
export function formatCredential({ device, task, password, privateKey, serverKey }: Credential): string {
  const file: z.infer<typeof credentialSchema> = {
    ...{ v: 1, device, task, password },
    privateKey: Buffer.from(privateKey).toString("base64"),
    serverKey: Buffer.from(serverKey).toString("base64"),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The credential, or what is wrong with the text. */
export function parseCredential(
  text: string,
): { readonly ok: true; readonly credential: Credential } | { readonly ok: false; readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
  const parsed = credentialSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "file"}: ${message}`,
    );
    return { ok: false, problem: problems.join("; ") };
  }
  const { device, task, password, privateKey, serverKey } = parsed.data;
  return {
    ok: true,
    credential: {
      device: device as DeviceId,
      task: task as TaskId,
      password,
      privateKey: Buffer.from(privateKey, "base64"),
      serverKey: Buffer.from(serverKey, "base64"),
    },
  };
}
