import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Admissions } from "../../../../server/host/admissions.js";
import { openFleetFolder } from "../../../../server/host/fleet-folder.js";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { silentLogger } from "../../../../shared/log.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const [a, b] = ["a", "b"] as [DeviceId, DeviceId];
const opened: { close(): void }[] = [];

afterEach(() => {
  for (const folder of opened.splice(0)) folder.close();
});

/** A server's view of a fleet that another process changes. */
function setUp(name: string) {
  const clock = new ManualClock();
  const folder = join(temp.path, name);
  const server = openFleetFolder(folder, { task: "t" as TaskId, clock });
  const other = openFleetFolder(folder, { clock });
  opened.push(server, other);
  const disconnected: DeviceId[] = [];
  const disconnect = (device: DeviceId) => void disconnected.push(device);
  const { enrolled } = server;
  const admissions = new Admissions({ enrolled, disconnect, clock, logger: silentLogger });
  return { clock, other: other.enrolled, disconnected, admissions, stop: admissions.watch() };
}

test("a device that another process revokes is disconnected, once; others are left alone", async () => {
  const { clock, other, disconnected, admissions, stop } = setUp("revoked");
  for (const device of [a, b]) expect(admissions.admit(device, other.enrol(device).password)).toBe(true);
  other.enrol("c" as DeviceId);
  await clock.advance(10_000);
  expect(disconnected).toEqual([]);
  other.revoke(b);
  await clock.advance(10_000);
  expect(disconnected).toEqual([b]);
  stop();
  expect(clock.pending).toBe(0);
});

test("a device that is enrolled anew is disconnected: its old password is worth nothing", async () => {
  const { clock, other, disconnected, admissions } = setUp("anew");
  admissions.admit(a, other.enrol(a).password);
  await clock.advance(5_000);
  other.revoke(a);
  const { password } = other.enrol(a);
  await clock.advance(5_000);
  expect(disconnected).toEqual([a]);
  admissions.admit(a, password);
  other.enrol(b);
  await clock.advance(5_000);
  expect(disconnected).toEqual([a]);
});

test("who was never let in is not disconnected", async () => {
  const { clock, other, disconnected, admissions } = setUp("never");
  other.enrol(a);
  expect(admissions.admit(a, "a guess")).toBe(false);
  expect(admissions.admit(b, "")).toBe(false);
  other.revoke(a);
  await clock.advance(5_000);
  expect(disconnected).toEqual([]);
});
