// What dashboards are sent, over a real server and a clock that a test moves.

import { afterAll, beforeEach, expect, test } from "vitest";
import { applyChange, type LiveState } from "../../../../server/dashboard/live-state.js";
import { defaultEventLimits, EventHub, type EventLimits } from "../../../../server/http/events.js";
import type { Change, Snapshot } from "../../../../server/http/live.js";
import {
  type ApiSources,
  describeLive,
  describeModels,
  describeRounds,
} from "../../../../server/http/views.js";
import { Counters } from "../../../../shared/counters.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { ServerLab } from "../../../support/server-lab.js";

/** A reader that keeps what it is sent. */
class Reader {
  text = "";
  writableLength = 0;
  state: "open" | "ended" | "destroyed" = "open";

  write(bytes: Buffer): void {
    this.text += bytes.toString("utf8");
  }

  end(): void {
    this.state = "ended";
  }

  destroy(): void {
    this.state = "destroyed";
  }

  get events(): { readonly id: string; readonly event: string; readonly data: unknown }[] {
    return [...this.text.matchAll(/id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/g)].map(([, id, event, data]) => ({
      ...{ id: id ?? "", event: event ?? "" },
      data: JSON.parse(data ?? "") as unknown,
    }));
  }

  /** The picture as a dashboard would hold it. */
  get picture(): LiveState {
    const [first, ...changes] = this.events;
    return changes.reduce((state, { data }) => applyChange(state, data as Change), first?.data as Snapshot);
  }
}

let runtime: ModelRuntime | undefined;
let lab: ServerLab;
let sources: ApiSources;

beforeEach(async () => {
  runtime ??= await createTfjsRuntime("tfjs-cpu");
  lab = new ServerLab({ runtime, yaml: "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 9 }" });
  sources = {
    ...{ task: lab.task.task, source: lab.task, version: "1", server: await lab.start(), clock: lab.clock },
    ...{ startedMs: 0, enrolled: { list: () => [] }, brokerCounters: new Counters() },
    broker: () => ({ kind: "external", urls: [], isConnected: true }),
    notReady: () => undefined,
  };
});

afterAll(() => runtime?.dispose());

function hub(limits: Partial<EventLimits> = {}): EventHub {
  return new EventHub(sources, { ...defaultEventLimits, ...limits });
}

test("first comes everything, then what changed; put together they are what the server says now", async () => {
  const events = hub();
  const reader = new Reader();
  events.join(reader, undefined);
  expect(reader.events).toMatchObject([{ event: "snapshot", data: { devices: [], members: [] } }]);
  const [a, b] = [await lab.device("a"), await lab.device("b")];
  await a.hello();
  await b.hello();
  await a.contribute();
  await b.contribute();
  await lab.clock.advance(1_000);
  expect(reader.events.slice(1).every(({ event }) => event === "change")).toBe(true);
  const { devices, members } = describeLive(sources);
  expect(reader.picture).toMatchObject({ devices, members, ...describeModels(sources) });
  expect(reader.picture.rounds).toEqual(describeRounds(sources, { limit: 100 }).rounds);
  events.close();
});

test("many changes at once are one event, and a change is not kept waiting", async () => {
  const events = hub();
  const reader = new Reader();
  events.join(reader, undefined);
  await lab.clock.advance(500);
  const before = reader.events.length;
  const devices = await Promise.all(["a", "b", "c"].map((name) => lab.device(name)));
  for (const device of devices) await device.hello();
  await lab.clock.advance(defaultEventLimits.paceMs);
  const sent = reader.events.length - before;
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(6);
  expect(reader.picture.devices).toHaveLength(3);
  events.close();
});

test("nothing new is still an event now and then: the server is there", async () => {
  const events = hub();
  const reader = new Reader();
  events.join(reader, undefined);
  await lab.clock.advance(3 * defaultEventLimits.beatMs);
  expect(reader.events).toHaveLength(4);
  expect(Object.keys(reader.events[3]?.data as object)).toEqual(["status"]);
  events.close();
});

test("who comes back gets what it missed, and everything when that is no longer remembered", async () => {
  const events = hub({ events: 3 });
  const [stays, leaves] = [new Reader(), new Reader()];
  events.join(stays, undefined);
  events.join(leaves, undefined);
  events.leave(leaves);
  await (await lab.device("a")).hello();
  await lab.clock.advance(200);
  const back = new Reader();
  events.join(back, leaves.events.at(-1)?.id);
  expect(back.events[0]).toMatchObject({ event: "change", data: { devices: [{ device: "a" }] } });
  await lab.clock.advance(20_000);
  const late = new Reader();
  events.join(late, leaves.events.at(-1)?.id);
  expect(late.events).toMatchObject([{ event: "snapshot" }]);
  const stranger = new Reader();
  events.join(stranger, "another-7");
  expect(stranger.events).toMatchObject([{ event: "snapshot" }]);
  events.close();
});

test("changes while nobody watched are caught up on as well", async () => {
  const events = hub();
  const before = new Reader();
  events.join(before, undefined);
  events.leave(before);
  await (await lab.device("a")).hello();
  const after = new Reader();
  events.join(after, before.events.at(-1)?.id);
  expect(after.events).toMatchObject([{ event: "change", data: { devices: [{ device: "a" }] } }]);
  events.close();
});

test("a reader that does not read is let go, and others are not", async () => {
  const events = hub();
  const [stuck, quick] = [new Reader(), new Reader()];
  events.join(stuck, undefined);
  events.join(quick, undefined);
  stuck.writableLength = 1e9;
  await lab.clock.advance(2 * defaultEventLimits.beatMs);
  expect(stuck.state).toBe("destroyed");
  expect(quick.state).toBe("open");
  expect(quick.events.length).toBeGreaterThan(1);
  expect(sources.brokerCounters.toJSON()).toEqual({ "events.too-slow": 1 });
  events.close();
  expect(quick.state).toBe("ended");
});

test("when the last reader is let go nobody looks any more", async () => {
  let looks = 0;
  const list = () => {
    looks += 1;
    return [];
  };
  sources = { ...sources, enrolled: { list } };
  const events = hub();
  const stuck = new Reader();
  events.join(stuck, undefined);
  stuck.writableLength = 1e9;
  await lab.clock.advance(defaultEventLimits.beatMs);
  expect(stuck.state).toBe("destroyed");
  const before = looks;
  await (await lab.device("a")).hello();
  await lab.clock.advance(60_000);
  expect(looks).toBe(before);
  events.close();
});

test("a reader who comes after a quiet while is told today's time", async () => {
  const events = hub();
  for (const _ of [1, 2]) {
    const reader = new Reader();
    events.join(reader, undefined);
    expect(reader.picture.status.nowMs).toBe(lab.clock.now());
    events.leave(reader);
    await lab.clock.advance(60_000);
  }
  events.close();
});

test("there is a most to how many watch", () => {
  const events = hub({ clients: 1 });
  expect(events.isFull).toBe(false);
  events.join(new Reader(), undefined);
  expect(events.isFull).toBe(true);
  events.close();
});
