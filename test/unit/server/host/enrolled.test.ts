import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openFleetFolder } from "../../../../server/host/fleet-folder.js";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const [a, b, c] = ["a", "b", "c"] as [DeviceId, DeviceId, DeviceId];
const opened: { close(): void }[] = [];

afterEach(() => {
  for (const folder of opened.splice(0)) folder.close();
});

test("the list is the same object until a device comes or goes, by this process or another", () => {
  const folder = join(temp.path, "fleet");
  const clock = new ManualClock();
  const own = openFleetFolder(folder, { task: "t" as TaskId, clock });
  const other = openFleetFolder(folder, { clock });
  opened.push(own, other);
  const names = () => own.enrolled.list().map(({ device }) => device);
  expect(names()).toEqual([]);
  own.enrolled.enrol(b);
  expect(names()).toEqual([b]);
  expect(own.enrolled.list()).toBe(own.enrolled.list());
  other.enrolled.enrol(a);
  expect(names()).toEqual([a, b]);
  expect(() => own.enrolled.enrol(b)).toThrow("device b is enrolled already");
  other.enrolled.enrol(c);
  other.enrolled.revoke(a);
  expect(names()).toEqual([b, c]);
  own.enrolled.revoke(b);
  expect(names()).toEqual([c]);
});
