// `headwater enrol` as real processes.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFleetFolder } from "../../server/host/fleet-folder.js";
import { systemClock } from "../../shared/clock.js";
import type { TaskId } from "../../shared/id.js";
import { parseCredential } from "../../shared/wire/credential.js";
import { type Exit, Program } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();

async function enrol(folder: string, ...args: readonly string[]): Promise<Program & Exit> {
  const program = Program.start(["enrol", "--data", join(temp.path, folder), "--out", temp.path, ...args]);
  return Object.assign(program, await program.exit);
}

function listed(folder: string): string[] {
  const fleet = openFleetFolder(join(temp.path, folder), { clock: systemClock });
  const devices = fleet.enrolled.list().map(({ device }) => device);
  fleet.close();
  return devices;
}

test("writes a credential that only its owner can read, and writes over none", async () => {
  const path = join(temp.path, "one.credential.json");
  const first = await enrol("writes", "one", "--task", "pumps");
  expect(first).toMatchObject({ code: 0, stdout: `${path}\n` });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const text = readFileSync(path, "utf8");
  expect(parseCredential(text)).toMatchObject({ ok: true, credential: { device: "one", task: "pumps" } });
  // Nobody is enrolled when one of them cannot be.
  const second = await enrol("writes", "two", "one");
  expect(second).toMatchObject({ code: 2, stdout: "" });
  expect(second.stderr).toContain(`${path} is there already`);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(listed("writes")).toEqual(["one"]);
});

test("a device whose credential cannot be written is not enrolled", async () => {
  const failed = await enrol("unwritten", "three", "--task", "pumps", "--out", join(temp.path, "nowhere"));
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("cannot write");
  expect(listed("unwritten")).toEqual([]);
});

test("processes that make one folder at the same time agree on its key, and lose no device", async () => {
  const names = ["p1", "p2", "p3", "p4"];
  const done = await Promise.all(names.map((name) => enrol("together", name, "--task", "pumps")));
  expect(done.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
    names.map(() => ({ code: 0, stderr: "" })),
  );
  const keys = names.map((name) => {
    const parsed = parseCredential(readFileSync(join(temp.path, `${name}.credential.json`), "utf8"));
    return parsed.ok ? Buffer.from(parsed.credential.serverKey).toString("hex") : parsed.problem;
  });
  expect(new Set(keys).size).toBe(1);
  expect(listed("together")).toEqual(names);
});

test("revokes and lists", async () => {
  await enrol("revokes", "r1", "r2", "--task", "pumps");
  expect(await enrol("revokes", "r1", "r9", "--revoke")).toMatchObject({
    code: 0,
    stdout: "r1 may not take part any more\nr9 was not enrolled\n",
  });
  expect((await enrol("revokes", "--list")).stdout).toMatch(/^r2 {2}since \d{4}-\S+Z\n$/);
});

test("over a broker of others its files follow, and the server's own name there is nobody else's", async () => {
  const fleet = openFleetFolder(join(temp.path, "foreign"), { task: "pumps" as TaskId, clock: systemClock });
  fleet.brokerFiles.serveOver({ url: "mqtt://127.0.0.1:1883", username: "hub", password: "secret" });
  const passwords = join(fleet.brokerFiles.folder, "passwd");
  const users = () => readFileSync(passwords, "utf8").match(/^[^:]+/gm);
  fleet.close();
  expect((await enrol("foreign", "f1")).stdout).toContain("send Mosquitto a SIGHUP");
  expect(users()).toEqual(["f1", "hub"]);
  await enrol("foreign", "f1", "--revoke");
  expect(users()).toEqual(["hub"]);
  const hub = await enrol("foreign", "hub");
  expect(hub.code).toBe(2);
  expect(hub.stderr).toContain("hub is the server's own user name");
  expect(existsSync(join(temp.path, "hub.credential.json"))).toBe(false);
});

test.each([
  [["a/b"], '"a/b" is no device id'],
  [[], "name at least one device"],
  [["x"], "belongs to no task yet"],
  [["x", "--task", "no such task"], "there is no file no such task, and it is no task id"],
])("is refused with 2: %j", async (args, message) => {
  const refused = await enrol("refused", ...args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(message);
  expect(refused.stderr).not.toContain("    at ");
});
