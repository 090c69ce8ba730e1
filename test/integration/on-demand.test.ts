// Models on demand: a real server and a program that asks it, over a broker in memory.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type FetchedModel, type FetchModelOptions, fetchModel } from "../../device/on-demand/fetch-model.js";
import { type Logger, silentLogger } from "../../shared/log.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import type { MemoryLink } from "../../shared/transport/memory-link.js";
import type { Link } from "../../shared/transport/port.js";
import { decodeMessage, downSchemas, encodeMessage, type UpMessage } from "../../shared/wire/message.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import { topics } from "../../shared/wire/topic.js";
import { deviceId } from "../support/device-kit.js";
import { ServerLab, serverKeys } from "../support/server-lab.js";

const links: MemoryLink[] = [];
let runtime: ModelRuntime;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});

afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
});

afterAll(() => runtime.dispose());

const serverKey = rawPublicKey(serverKeys.publicKey);
const rounds = `rounds: { cohort: all, minDevices: 2, quorum: 100%, deadline: 10m, max: 2 }\n`;

/** A federation of two with version 1 as head and, after `trained`, version 2 as stable. */
async function startLab(yaml = rounds) {
  const lab = new ServerLab({ runtime, yaml });
  await lab.start();
  const [a, b] = [await lab.device("a"), await lab.device("b")];
  lab.enrol("planner");
  const trained = async () => {
    for (const device of [a, b]) await device.hello();
    for (const device of [a, b]) await device.contribute();
    for (const device of [a, b]) await device.contribute();
    await lab.settle(() => lab.server.status().stable > 0);
  };
  return { lab, a, b, trained };
}

/** Asks, while time passes. */
async function ask(
  lab: ServerLab,
  options: Partial<FetchModelOptions> & { readonly as?: string } = {},
): Promise<FetchedModel> {
  const { as = "planner", ...rest } = options;
  const link = lab.broker.link();
  links.push(link);
  const secrets = { password: "not-looked-at-here", privateKey: new Uint8Array(32), serverKey };
  const asked = fetchModel({
    credential: { device: deviceId(as), task: lab.task.task.task, ...secrets },
    broker: { url: "memory" },
    parts: { link, clock: lab.clock, logger: silentLogger, runtime },
    ...rest,
  });
  return lab.clock.settle(asked, 600_000);
}

test("a channel's version comes whole, with the task it belongs to", async () => {
  const { lab, trained } = await startLab();
  expect(await ask(lab)).toEqual({ ok: false, reason: "no-version" });
  await trained();
  const fetched = await ask(lab);
  if (!fetched.ok) throw new Error(fetched.reason);
  const { manifest, loaded, params, scaler } = fetched.model;
  const { stable } = lab.server.status();
  const made = (await lab.server.model(stable))!;
  expect([manifest, params, scaler]).toEqual([made.manifest, made.params, made.scaler]);
  expect(loaded.taskHash).toBe(lab.task.taskHash);
  // Asking is no hello: the server waits for nobody who only wants a model.
  expect(lab.server.status().devices.some(({ device, seenMs }) => device === "planner" && seenMs)).toBe(
    false,
  );
});

test("head, own, and what is in trial are channels, and so is every alias", async () => {
  const canary = `${rounds}rollout: { canary: { steps: [1] }, gate: { rmse: { maxRegression: 100% } } }\n`;
  const { lab, trained } = await startLab(canary.replace("max: 2", "max: 5"));
  const versionOf = async (channel: string) => {
    const fetched = await ask(lab, { channel });
    return fetched.ok ? fetched.model.manifest.version : fetched.reason;
  };
  expect(await versionOf("head")).toBe(1);
  await trained();
  const { stable, head } = lab.server.status();
  expect(await versionOf("own")).toBe(stable);
  expect(await versionOf("canary")).toBe(stable);
  expect(await versionOf("head")).toBe(head);
  expect(await versionOf("boiler-room")).toBe("unknown-channel");
  await lab.server.nameVersion("boiler-room", 1);
  await lab.server.nameVersion("planner", 1);
  expect(await versionOf("boiler-room")).toBe(1);
  expect(await versionOf("own")).toBe(1);
});

test("a version of a candidate is verified as that candidate's", async () => {
  const candidates = "candidates: { wide: { model: { dense: [3] } }, flat: { model: { dense: [] } } }\n";
  const { lab } = await startLab(`${rounds}${candidates}`);
  const fetched = await ask(lab, { channel: "head" });
  if (!fetched.ok) throw new Error(fetched.reason);
  expect(fetched.model.manifest.arm).toBeDefined();
});

describe("only what is wanted is answered", () => {
  test("by version, size, shape and meaning", async () => {
    const { lab, trained } = await startLab();
    await trained();
    const { stable } = lab.server.status();
    const { manifest } = (await lab.server.model(stable))!;
    const outcome = async (options: Partial<FetchModelOptions>) => {
      const fetched = await ask(lab, options);
      return fetched.ok ? "ok" : fetched.reason;
    };
    expect(await outcome({ minVersion: stable })).toBe("ok");
    expect(await outcome({ minVersion: stable + 1 })).toBe("not-newer");
    expect(await outcome({ accept: { bytes: manifest.bytes } })).toBe("ok");
    expect(await outcome({ accept: { bytes: manifest.bytes - 1 } })).toBe("not-accepted");
    expect(await outcome({ accept: { fingerprint: manifest.fingerprint } })).toBe("ok");
    expect(await outcome({ accept: { fingerprint: "0".repeat(64) } })).toBe("not-accepted");
    expect(await outcome({ accept: { modelSignature: manifest.modelSignature } })).toBe("ok");
    expect(await outcome({ accept: { modelSignature: "0".repeat(64) } })).toBe("not-accepted");
  });

  test("to who is enrolled, and does not ask without end", async () => {
    const { lab, a } = await startLab();
    const stranger = await lab.device("stranger", { isEnrolled: false });
    const want: UpMessage<"want"> = {
      ...{ v: 1, id: "0".repeat(32), channel: "stable", minVersion: 0 },
      accept: { bytes: 1000, fingerprint: null, modelSignature: null },
    };
    await stranger.send("want", want);
    expect(lab.server.counters.get("dropped.unknown-device")).toBe(1);
    expect(stranger.received).toEqual([]);
    for (let i = 0; i < 12; i++) await a.send("want", want);
    expect(lab.server.counters.get("dropped.too-many-wants")).toBe(2);
    await lab.clock.advance(10_000);
    await a.send("want", want);
    expect(lab.server.counters.get("dropped.too-many-wants")).toBe(2);
  });
});

test("a question that gets lost is asked again, and one without an answer is given up", async () => {
  const { lab, trained } = await startLab();
  await trained();
  await lab.kill();
  const link = lab.broker.link();
  const later = lab.clock.after(20_000, () => void lab.start());
  expect(await ask(lab, { parts: { link, clock: lab.clock }, timeoutMs: 300_000 })).toMatchObject({
    ok: true,
  });
  later();
  await link.close();
  await lab.kill();
  await expect(ask(lab, { timeoutMs: 30_000 })).rejects.toMatchObject({
    code: "transport-timeout",
    message: expect.stringMatching(/within 30000 ms: no server answered at this broker$/),
  });
});

test("what has been pulled before a reconnect is not pulled again, also while the task is still to come", async () => {
  const { lab, trained } = await startLab();
  await trained();
  const { stable } = lab.server.status();
  const { manifest } = (await lab.server.model(stable))!;
  const link = lab.broker.link();
  links.push(link);
  const [planner, asked] = [deviceId("planner"), { gets: 0, tasks: 0 }];
  // The task is lost on the first connection, which ends when the version is here, and comes late on the second.
  const lossy: Link = {
    keepaliveMs: link.keepaliveMs,
    chunkBytes: () => link.chunkBytes(),
    close: () => link.close(),
    publish(topic, payload, options) {
      if (topic.endsWith("/get")) asked.gets += 1;
      return link.publish(topic, payload, options);
    },
    open: (options) =>
      link.open({
        ...options,
        onMessage(message) {
          if (message.topic === topics.task(lab.task.task.task)) {
            asked.tasks += 1;
            if (asked.tasks > 1) lab.clock.after(20_000, () => options.onMessage(message));
            return;
          }
          options.onMessage(message);
          if (message.topic.endsWith("/block")) lab.broker.disconnect(planner, { abrupt: true });
        },
      }),
  };
  const fetched = await ask(lab, { parts: { link: lossy, clock: lab.clock, runtime }, timeoutMs: 300_000 });
  expect(fetched).toMatchObject({ ok: true, model: { manifest: { version: stable } } });
  expect(asked.tasks).toBeGreaterThan(1);
  expect(asked.gets).toBe(Math.ceil(manifest.bytes / (32 * 1024)));
});

test("an answer that the server has not signed, or has given to another question, is none", async () => {
  const { lab, a, trained } = await startLab();
  await trained();
  const want: UpMessage<"want"> = {
    ...{ v: 1, id: "1".repeat(32), channel: "stable", minVersion: 0 },
    accept: { bytes: 1_000_000, fingerprint: null, modelSignature: null },
  };
  await a.send("want", want);
  const answer = await a.next("model");
  await lab.kill();
  // Whoever holds the broker says it to the planner, whatever it asks.
  const uplink = lab.broker.uplink();
  const [{ task }, planner] = [lab.task.task, deviceId("planner")];
  uplink.open(async ({ topic, payload }) => {
    if (!topic.endsWith("/want")) return;
    const { id } = decodeMessage(downSchemas.model.pick({ id: true }), payload)!;
    for (const forged of [answer, { ...answer, id }])
      void uplink.send(planner, topics.down(task, planner, "model"), encodeMessage(forged));
  });
  const ignored: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void ignored.push(fields.reason) };
  const link = lab.broker.link();
  links.push(link);
  const asked = ask(lab, { timeoutMs: 60_000, parts: { link, clock: lab.clock, logger } });
  await expect(asked).rejects.toMatchObject({ code: "transport-timeout" });
  expect(ignored).toEqual(["bad-signature"]);
  uplink.abandon();
});
