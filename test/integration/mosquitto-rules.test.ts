// The files written for Mosquitto hold devices to the rules of docs/protocol.md, section 2, on a real Mosquitto.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFleetFolder } from "../../server/host/fleet-folder.js";
import { systemClock } from "../../shared/clock.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import { uplinkSubscriptions } from "../../shared/wire/topic.js";
import { freePort } from "../support/free-port.js";
import { hasMosquitto, type Mosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession, type TestSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const task = "t" as TaskId;
const SERVER = { username: "the-server", password: "the-server's-secret" } as const;
/** Everything there is; Mosquitto grants it and delivers what the ACL lets through. */
const ALL = ["#", "$SYS/#"];

describe.skipIf(!hasMosquitto)(withMosquitto("over Mosquitto with the files we write"), () => {
  const sessions: TestSession[] = [];
  const passwords = new Map<string, string>();
  let mosquitto: Mosquitto;
  let server: TestSession;
  let a: TestSession;
  let b: TestSession;

  function connect(clientId: string, login: { username: string; password: string }, subscriptions = ALL) {
    const session = openSession(clientId, { endpoint: { url: mosquitto.url, ...login }, subscriptions });
    sessions.push(session);
    return session;
  }

  beforeAll(async () => {
    const port = await freePort();
    const fleet = openFleetFolder(temp.path, { task, clock: systemClock });
    fleet.brokerFiles.serveOver({ url: `mqtt://127.0.0.1:${port}`, ...SERVER });
    for (const device of ["a", "b"] as DeviceId[]) {
      passwords.set(device, fleet.enrolled.enrol(device).password);
    }
    fleet.brokerFiles.write();
    fleet.close();
    const text = readFileSync(join(temp.path, "mosquitto", "mosquitto.conf"), "utf8");
    // What the test's own broker sets itself.
    const own = /^(?:listener|persistence|set_tcp_nodelay) /;
    mosquitto = await startMosquitto({ port, config: text.split("\n").filter((line) => !own.test(line)) });
    server = connect("another-id", SERVER, [...uplinkSubscriptions(task)]);
    [a, b] = ["a", "b"].map((id) => connect(id, { username: id, password: passwords.get(id)! })) as [
      TestSession,
      TestSession,
    ];
    await until(() => [server, a, b].every(({ connects }) => connects === 1));
  });

  afterAll(async () => {
    for (const { session } of sessions) await session.close();
    await mosquitto?.close();
  });

  /** Topics that `receiver` got of what `sender` published, up to and with the last, which must arrive. */
  async function delivered(sender: TestSession, topics: readonly string[], receiver: TestSession) {
    const from = receiver.messages.length;
    for (const topic of topics) await sender.session.publish(topic, new Uint8Array([1]));
    await until(() => receiver.messages.slice(from).some(({ topic }) => topic === topics.at(-1)));
    return receiver.messages.slice(from).map(({ topic }) => topic);
  }

  test("a device reaches the server on its own topics and on nobody else's", async () => {
    const own = ["begin", "chunk", "commit", "decline", "get"].map((kind) => `hw/1/t/up/a/${kind}`);
    const foreign = ["hw/1/t/up/b/hello", "hw/1/t/up/a/other", "hw/1/t/presence/b", "hw/1/other/up/a/hello"];
    const all = [...own, "hw/1/t/presence/a", ...foreign, "hw/1/t/up/a/hello"];
    expect(await delivered(a, all, server)).toEqual([...own, "hw/1/t/presence/a", "hw/1/t/up/a/hello"]);
  });

  test("a device hears what is meant for it, whatever it has subscribed to", async () => {
    const topics = ["hw/1/t/down/b/offer", "hw/1/t/release", "hw/1/t/task", "hw/1/t/down/a/receipt"];
    expect(await delivered(server, topics, a)).toEqual(topics.slice(1));
    expect(b.messages.map(({ topic }) => topic)).toEqual(topics.slice(0, 3));
  });

  test("a device can pretend to be the server to nobody", async () => {
    const from = b.messages.length;
    const pretended = ["hw/1/t/down/b/offer", "hw/1/t/task", "hw/1/t/release", "anything"];
    await delivered(a, [...pretended, "hw/1/t/up/a/hello"], server);
    // A message from the server behind them says that none of them is still on its way.
    await delivered(server, ["hw/1/t/down/b/wait"], b);
    expect(b.messages.slice(from).map(({ topic }) => topic)).toEqual(["hw/1/t/down/b/wait"]);
  });

  test("a wrong password and a stranger are refused", async () => {
    const wrong = connect("a", { username: "a", password: passwords.get("b")! });
    const stranger = connect("c", { username: "c", password: "c" });
    for (const { log } of [wrong, stranger]) {
      await until(() => log.length > 0);
      expect(String(log[0]?.fields.reason)).toMatch(/Not authorized/);
    }
  });

  test("who connects with another's client id goes by its own name, and puts nobody out", async () => {
    // Its own session it does: one client id, one connection.
    const disguised = connect("a", { username: "b", password: passwords.get("b")! }, []);
    await until(() => disguised.connects === 1 && b.disconnects === 1);
    expect(a.disconnects).toBe(0);
  });
});
