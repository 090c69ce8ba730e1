import { describe, expect, test } from "vitest";
import type { DeviceId, TaskId, UpdateId } from "../../../../shared/id.js";
import {
  generateKeys,
  keysFromSeed,
  type ManifestClaim,
  type ReceiptClaim,
  signManifest,
  signReceipt,
  signTask,
  signUpdate,
  type TaskClaim,
  type UpdateClaim,
  verifyManifest,
  verifyReceipt,
  verifyTask,
  verifyUpdate,
} from "../../../../shared/wire/signature.js";

const keys = keysFromSeed(new Uint8Array(32).fill(1));
const foreign = keysFromSeed(new Uint8Array(32).fill(2));
const hash = "0".repeat(64);

const update: UpdateClaim = {
  task: "pumps" as TaskId,
  device: "pump-7" as DeviceId,
  round: 3,
  updateId: "ab12" as UpdateId,
  sha256: hash,
};
const receipt: ReceiptClaim = {
  task: "pumps" as TaskId,
  device: "pump-7" as DeviceId,
  updateId: "ab12" as UpdateId,
  round: 3,
  status: "rejected",
  reason: "not-finite",
};
const manifest: ManifestClaim = {
  v: 1,
  task: "pumps" as TaskId,
  version: 4,
  parent: 3,
  sha256: hash,
  bytes: 1000,
  fingerprint: hash,
  modelSignature: hash,
  createdMs: 1,
  expiresMs: 2,
};
const task: TaskClaim = { v: 1, task: "pumps" as TaskId, source: '{"task":"pumps"}', taskHash: hash };

const kinds = [
  { name: "update", claim: update, sign: signUpdate, verify: verifyUpdate },
  { name: "receipt", claim: receipt, sign: signReceipt, verify: verifyReceipt },
  { name: "manifest", claim: manifest, sign: signManifest, verify: verifyManifest },
  { name: "task", claim: task, sign: signTask, verify: verifyTask },
] as unknown as readonly {
  readonly name: string;
  readonly claim: Record<string, unknown>;
  readonly sign: (key: unknown, claim: unknown) => Uint8Array;
  readonly verify: (key: unknown, claim: unknown, signature: Uint8Array) => boolean;
}[];

describe.each(kinds)("the signature of a $name", ({ name, claim, sign, verify }) => {
  const signature = sign(keys.privateKey, claim);

  test("has 64 bytes and holds for what was signed", () => {
    expect(signature).toHaveLength(64);
    expect(verify(keys.publicKey, claim, signature)).toBe(true);
  });

  test("does not depend on the order of fields, or on fields that are not signed", () => {
    const other = { ...Object.fromEntries(Object.entries(claim).reverse()), duplicate: true };
    expect(verify(keys.publicKey, other, signature)).toBe(true);
  });

  test.each(Object.keys(claim))("does not hold when %s is another", (field) => {
    const changed = typeof claim[field] === "number" ? (claim[field] as number) + 1 : `${claim[field]}0`;
    expect(verify(keys.publicKey, { ...claim, [field]: changed }, signature)).toBe(false);
  });

  test("does not hold with a bit changed, cut short, or of another key", () => {
    for (let i = 0; i < signature.length; i++) {
      const other = signature.slice();
      other[i]! ^= 1;
      expect(verify(keys.publicKey, claim, other)).toBe(false);
    }
    expect(verify(keys.publicKey, claim, signature.subarray(0, 63))).toBe(false);
    expect(verify(keys.publicKey, claim, new Uint8Array())).toBe(false);
    expect(verify(foreign.publicKey, claim, signature)).toBe(false);
  });

  test("is worth nothing as that of another kind", () => {
    const everything = { ...task, ...manifest, ...receipt, ...update };
    const own = sign(keys.privateKey, everything);
    for (const other of kinds) {
      expect(other.verify(keys.publicKey, everything, own)).toBe(other.name === name);
    }
  });
});

test("the signature of a manifest covers its arm, where there is one", () => {
  const [small, none] = [{ ...manifest, arm: "small" }, manifest].map((claim) => ({
    claim,
    signature: signManifest(keys.privateKey, claim),
  }));
  expect(verifyManifest(keys.publicKey, small!.claim, small!.signature)).toBe(true);
  expect(verifyManifest(keys.publicKey, { ...manifest, arm: "wide" }, small!.signature)).toBe(false);
  expect(verifyManifest(keys.publicKey, manifest, small!.signature)).toBe(false);
  expect(verifyManifest(keys.publicKey, { ...manifest, arm: undefined }, none!.signature)).toBe(true);
});

describe("keys", () => {
  test("of a seed are those of RFC 8032, section 7.1, test 1", () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const { x } = keysFromSeed(seed).publicKey.export({ format: "jwk" });
    expect(Buffer.from(x!, "base64url").toString("hex")).toBe(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });

  test("of a seed of another length are a bug", () => {
    expect(() => keysFromSeed(new Uint8Array(31))).toThrow(/32 bytes/);
  });

  test("made anew differ, and sign", () => {
    const [a, b] = [generateKeys(), generateKeys()];
    const signature = signUpdate(a.privateKey, update);
    expect(verifyUpdate(a.publicKey, update, signature)).toBe(true);
    expect(verifyUpdate(b.publicKey, update, signature)).toBe(false);
  });
});
