import { expect, test } from "vitest";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { type Credential, formatCredential, parseCredential } from "../../../../shared/wire/credential.js";

const credential: Credential = {
  device: "pump-1" as DeviceId,
  task: "pumps" as TaskId,
  password: "a-password-of-some-length",
  privateKey: Buffer.alloc(32, 1),
  serverKey: Buffer.alloc(32, 2),
};

test("a credential is read as it was written", () => {
  expect(parseCredential(formatCredential(credential))).toEqual({ ok: true, credential });
});

test.each([
  ["no JSON", () => "pump-1", /JSON/],
  [
    "a short key",
    (json: object) => ({ ...json, privateKey: "AAAA" }),
    /privateKey: expected 32 bytes in base64/,
  ],
  ["a name that is no device", (json: object) => ({ ...json, device: "pump/1" }), /device: not a device id/],
  ["an unknown key", (json: object) => ({ ...json, pass: "x" }), /pass/],
  ["another version", (json: object) => ({ ...json, v: 2 }), /v: /],
])("a credential with %s is refused by name", (_, change, problem) => {
  const changed = change(JSON.parse(formatCredential(credential)));
  const parsed = parseCredential(typeof changed === "string" ? changed : JSON.stringify(changed));
  expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
});
