import { pbkdf2Sync } from "node:crypto";
import { expect, test } from "vitest";
import { hashForMosquitto, mosquittoAcl } from "../../../../server/host/mosquitto.js";
import type { TaskId } from "../../../../shared/id.js";

test("the ACL lets a device write its own up topics and presence, read what is for it, and nothing else", () => {
  const rules = mosquittoAcl("pumps" as TaskId, "headwater")
    .split("\n")
    .filter((line) => line.startsWith("pattern"));
  expect(rules).toEqual([
    ...["hello", "decline", "begin", "chunk", "commit", "get", "report", "want"].map(
      (kind) => `pattern write hw/1/pumps/up/%u/${kind}`,
    ),
    "pattern write hw/1/pumps/presence/%u",
    "pattern read hw/1/pumps/down/%u/+",
    "pattern read hw/1/pumps/task",
    "pattern read hw/1/pumps/release",
  ]);
});

test("a password's hash is Mosquitto's own form of PBKDF2 with SHA-512", () => {
  const [, algorithm, iterations, salt, hash] = hashForMosquitto("secret").split("$");
  expect(algorithm).toBe("7");
  const expected = pbkdf2Sync("secret", Buffer.from(salt!, "base64"), Number(iterations), 64, "sha512");
  expect(hash).toBe(expected.toString("base64"));
});
