import { createPublicKey } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFleetFolder } from "../../../../server/host/fleet-folder.js";
import { openServerFolder } from "../../../../server/host/server-folder.js";
import { systemClock } from "../../../../shared/clock.js";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { formatCredential, parseCredential } from "../../../../shared/wire/credential.js";
import { keysFromSeed } from "../../../../shared/wire/signature.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const pumps = { task: "pumps" as TaskId, clock: systemClock };
const pump = "pump-1" as DeviceId;

test("a folder keeps its key and its seed, and the key is for nobody else to read", () => {
  const folder = join(temp.path, "keeps");
  const first = openServerFolder(folder, pumps);
  const { seed } = first;
  first.close();
  expect(statSync(join(folder, "server.key")).mode & 0o777).toBe(0o600);
  const again = openServerFolder(folder, pumps);
  expect(again.seed).toBe(seed);
  expect(again.keys.publicKey.equals(first.keys.publicKey)).toBe(true);
  again.close();
});

test("a folder is refused to another task, another seed, and without the key that devices pin", () => {
  const folder = join(temp.path, "refuses");
  openServerFolder(folder, { ...pumps, seed: "7" }).close();
  expect(() => openServerFolder(folder, { ...pumps, task: "fans" as TaskId })).toThrow(
    `${folder} belongs to task pumps, not to fans`,
  );
  expect(() => openServerFolder(folder, { ...pumps, seed: "8" })).toThrow("has the seed 7 already, not 8");
  rmSync(join(folder, "server.key"));
  expect(() => openServerFolder(folder, pumps)).toThrow("there is no");
});

test("a folder without a task belongs to none", () => {
  const folder = join(temp.path, "nobody");
  expect(() => openFleetFolder(folder, { clock: systemClock })).toThrow("belongs to no task yet");
});

test("an enrolled device is known by its password and its key, until it is revoked", () => {
  const folder = join(temp.path, "enrols");
  const server = openServerFolder(folder, pumps);
  // Another process, while the server runs.
  const other = openFleetFolder(folder, { clock: systemClock });
  const credential = other.enrolled.enrol(pump);
  expect(parseCredential(formatCredential(credential))).toMatchObject({
    ok: true,
    credential: { device: pump },
  });
  const { enrolled } = server;
  expect(enrolled.isKnown(pump, credential.password)).toBe(true);
  expect(enrolled.isKnown(pump, `${credential.password}x`)).toBe(false);
  expect(enrolled.isKnown("pump-2" as DeviceId, credential.password)).toBe(false);
  expect(enrolled.publicKey(pump)?.equals(keysFromSeed(credential.privateKey).publicKey)).toBe(true);
  expect(() => other.enrolled.enrol(pump)).toThrow("pump-1 is enrolled already");
  expect(other.enrolled.revoke(pump)).toBe(true);
  expect(enrolled.isKnown(pump, credential.password)).toBe(false);
  expect(enrolled.publicKey(pump)).toBeUndefined();
  other.close();
  server.close();
});

test("neither passwords nor private keys of devices are in the folder", () => {
  const folder = join(temp.path, "secrets");
  const fleet = openFleetFolder(folder, pumps);
  const { password, privateKey } = fleet.enrolled.enrol(pump);
  fleet.close();
  const stored = readFileSync(join(folder, "fleet.db"));
  expect(stored.includes(password)).toBe(false);
  expect(stored.includes(Buffer.from(privateKey))).toBe(false);
});

test("the server's key is an Ed25519 key in PEM that others can read", () => {
  const folder = join(temp.path, "pem");
  const { keys, close } = openFleetFolder(folder, pumps);
  close();
  expect(createPublicKey(readFileSync(join(folder, "server.key"))).equals(keys.publicKey)).toBe(true);
});
