// Real processes, real disks, real crashes: whatever happens to them, the same updates make the same model.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { randomStream } from "../../shared/random.js";
import {
  cloneSnapshot,
  DEVICES,
  embeddedUplink,
  type FleetProcesses,
  prepareSnapshot,
  ROUNDS,
  type Uplink,
} from "../support/fleet-processes.js";
import { freePort } from "../support/free-port.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

const KILLS = 10;
/** Kills come within this time after the server is there again: a few rounds. */
const MOMENT_MS = 600;

const temp = tempFolder();
const snapshot = join(temp.path, "snapshot");
const running: FleetProcesses[] = [];
let reference: string;

beforeAll(async () => {
  await prepareSnapshot(snapshot);
  const fleet = await startFleet("reference", await embeddedUplink("tcp"));
  reference = await finish(fleet);
  await fleet.stop();
}, 180_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((fleet) => fleet.stop()));
});
afterAll(() => Promise.all(running.map((fleet) => fleet.stop())));

async function startFleet(name: string, uplink: Uplink): Promise<FleetProcesses> {
  const fleet = await cloneSnapshot(snapshot, join(temp.path, name), uplink);
  running.push(fleet);
  fleet.startServer();
  await fleet.serverSays(() => true);
  fleet.startDevices();
  return fleet;
}

/** Waits for the end and answers the hash of the last version. */
async function finish(fleet: FleetProcesses): Promise<string> {
  const status = await fleet.serverSays(({ finished }) => finished !== undefined);
  expect(status).toMatchObject({ finished: "max-rounds", trainRounds: ROUNDS });
  return fleet.headHash();
}

/** Every round from the fit round to the last evaluation. */
const allRounds = Array.from({ length: 2 * ROUNDS + 1 }, (_, index) => index + 1);

async function expectEachUpdateOnce(fleet: FleetProcesses): Promise<void> {
  for (const name of DEVICES) {
    // The server is done when it has the last update; its word on it, or on one whose receipt was lost with a broker,
    // is still on its way: it is asked again after ten seconds or more, and may be told after that of a later round.
    await until(() => fleet.updatesOf(name).accepted.length >= allRounds.length, 60_000);
    expect(
      fleet.updatesOf(name).accepted.toSorted((a, b) => a - b),
      name,
    ).toEqual(allRounds);
  }
}

describe("the same federation comes to the same params", () => {
  test("over WebSocket", async () => {
    const fleet = await startFleet("websocket", await embeddedUplink("ws"));
    expect(await finish(fleet)).toBe(reference);
    await expectEachUpdateOnce(fleet);
  });

  test(`when the server is killed at ${KILLS} random moments`, async () => {
    const fleet = await startFleet("server-killed", await embeddedUplink("tcp"));
    const random = randomStream("processes", "kill-server");
    for (let kill = 1; kill <= KILLS; kill++) {
      const { finished } = await fleet.serverSays(() => true);
      expect(finished, `there is something left to do before kill ${kill}`).toBeUndefined();
      await fleet.killServerAfter(MOMENT_MS * random.uniform());
    }
    expect(await finish(fleet)).toBe(reference);
    await expectEachUpdateOnce(fleet);
  });

  test("when a device is killed between training and receipt", async () => {
    const fleet = await startFleet("device-killed", await embeddedUplink("tcp"));
    await catchUnsent(fleet, "pump-2");
    await fleet.device("pump-2").stop("SIGKILL");
    fleet.server?.signal("SIGCONT");
    fleet.startDevice("pump-2");
    expect(await finish(fleet)).toBe(reference);
    await expectEachUpdateOnce(fleet);
  });

  test.runIf(hasMosquitto)(
    withMosquitto("over Mosquitto with our ACL and passwords, killed and restarted three times"),
    async () => {
      const port = await freePort();
      const url = `mqtt://127.0.0.1:${port}`;
      const login = ["--username", "headwater", "--password", "a-password-of-the-server"];
      const fleet = await cloneSnapshot(snapshot, join(temp.path, "mosquitto"), {
        url,
        server: ["--broker", url, ...login],
      });
      running.push(fleet);
      fleet.startServer();
      await fleet.serverSays(() => true);
      const mosquitto = await startMosquitto({ port, config: writtenConfig(fleet) });
      try {
        fleet.startDevices();
        const random = randomStream("processes", "kill-broker");
        for (let kill = 1; kill <= 3; kill++) {
          await fleet.serverSays(({ trainRounds }) => trainRounds >= 3 * kill);
          await sleep(MOMENT_MS * random.uniform());
          await mosquitto.restart();
        }
        expect(await finish(fleet)).toBe(reference);
        await expectEachUpdateOnce(fleet);
      } finally {
        await mosquitto.close();
      }
    },
    // A message that was lost with the broker is sent again after half a minute at most, and that may happen three times.
    180_000,
  );
});

/** Stops the server's clock in a round in which the device has stored an update that nobody has answered. */
async function catchUnsent(fleet: FleetProcesses, name: (typeof DEVICES)[number]): Promise<void> {
  const isUnanswered = () => {
    const { stored, accepted } = fleet.updatesOf(name);
    return stored.length > accepted.length;
  };
  for (let attempt = 0; attempt < 50; attempt++) {
    await fleet.serverSays(({ open }) => open?.kind === "train");
    fleet.server?.signal("SIGSTOP");
    await until(isUnanswered, 1000).catch(() => undefined);
    if (isUnanswered()) return;
    fleet.server?.signal("SIGCONT");
  }
  throw new Error(`${name} always had its answer already`);
}

/** The configuration the server has written, but for what the test's broker sets itself. */
function writtenConfig({ folder }: FleetProcesses): string[] {
  const text = readFileSync(join(folder, "server", "mosquitto", "mosquitto.conf"), "utf8");
  return text.split("\n").filter((line) => !/^(?:listener|persistence|set_tcp_nodelay) /.test(line));
}
