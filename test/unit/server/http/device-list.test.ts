// Who looks ten times a second at ten thousand devices pays for those that have changed.

import { expect, test } from "vitest";
import { FleetRegistry } from "../../../../server/fleet/registry.js";
import type { EnrolledDevice } from "../../../../server/host/enrolled.js";
import { listDevices } from "../../../../server/http/device-list.js";
import { Difference } from "../../../../server/http/difference.js";
import type { DeviceView } from "../../../../server/http/schema.js";
import type { UpMessage } from "../../../../shared/wire/message.js";
import { deviceId } from "../../../support/device-kit.js";

const hello: UpMessage<"hello"> = {
  ...{ v: 1, taskHash: "0".repeat(64), stable: null, eligible: true, reason: null, pending: null },
  examples: { train: 1, validation: 1 },
  labels: {},
};

function lab() {
  const registry = new FleetRegistry({ limit: 10 });
  const enrolled: EnrolledDevice[] = ["a", "c"].map((id) => ({ device: deviceId(id), enrolledMs: 5 }));
  const look = () =>
    listDevices({ enrolled: { list: () => enrolled } }, { devices: registry.list(), quarantined: {} });
  for (const id of ["d", "b", "c"]) registry.greeted(deviceId(id), hello, 9);
  return { registry, look };
}

test("devices enrolled, heard or both are there once, by id", () => {
  const devices = lab().look();
  expect(devices.map(({ device, isEnrolled, seenMs }) => [device, isEnrolled, seenMs])).toEqual([
    ["a", true, undefined],
    ["b", false, 9],
    ["c", true, 9],
    ["d", false, 9],
  ]);
});

test("a device that has not changed is the same object as before, one that has is not", () => {
  const { registry, look } = lab();
  const before = look();
  registry.carried(deviceId("c"), { up: 7 });
  registry.left(deviceId("b"));
  const after = look();
  expect(after.map((device, at) => device === before[at])).toEqual([true, false, false, true]);
  expect(after[2]).toMatchObject({ device: "c", bytesUp: 7 });
  expect(after[1]).toMatchObject({ device: "b", isConnected: false });
  registry.rejected(deviceId("d"), "not-finite");
  expect(look()[3]).toMatchObject({ device: "d", rejected: { "not-finite": 1 } });
});

test("one that makes room for another is gone, and what is new of the list is told", () => {
  const { registry, look } = lab();
  const difference = new Difference<DeviceView>(({ device }) => device);
  expect(difference.next(look()).changed).toHaveLength(4);
  expect(difference.next(look())).toEqual({ changed: [], gone: [] });
  for (let at = 0; at < 8; at++) registry.greeted(deviceId(`z${at}`), hello, 10);
  const { changed, gone } = difference.next(look());
  expect(gone).toEqual(["d"]);
  // `c` is enrolled, and now only that; `b` was heard longer ago than it.
  expect(changed.map(({ device }) => device)).toEqual(["z0", "z1", "z2", "z3", "z4", "z5", "z6", "z7"]);
  expect(difference.next(look())).toEqual({ changed: [], gone: [] });
});
