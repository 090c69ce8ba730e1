// What the embedded broker owes to whoever serves a task, until and while it closes; on real sockets.

import { describe, expect, test } from "vitest";
import { RawMqtt } from "../support/raw-mqtt.js";
import { PAYLOAD, testBroker, up, willOn } from "../support/test-broker.js";
import { createGate, settled } from "../support/transport-ends.js";
import { until } from "../support/until.js";

const bench = testBroker();
const { restrict, open, connect, count } = bench;

describe("the uplink", () => {
  test("acknowledges a message when its handler is done", async () => {
    const gate = createGate();
    const { received } = bench.lab.serve(() => gate.opened);
    const pump = await connect();
    const isDone = settled(pump.publish(up("pump"), PAYLOAD));
    await until(() => received.length === 1);
    // The answer to a ping overtakes no acknowledgement that has been written.
    pump.send({ cmd: "pingreq" });
    await pump.next("pingresp");
    expect(isDone()).toBe(false);
    gate.open();
    await until(isDone);
  });

  test("of nobody: the message is not acknowledged and its sender is cut off, until somebody serves", async () => {
    const attempt = async () => {
      const pump = await connect();
      return pump.publish(up("pump"), PAYLOAD);
    };
    await expect(attempt()).rejects.toThrow("without puback");
    const { uplink } = bench.lab.serve();
    await attempt();
    await uplink.close();
    await expect(attempt()).rejects.toThrow("without puback");
    expect(count("not-handled")).toBe(2);
  });

  test("that fails ends the sender's connection without acknowledgement, and no other's", async () => {
    bench.lab.serve(({ clientId }) =>
      clientId === "pump" ? Promise.reject(new Error("no")) : Promise.resolve(),
    );
    const pump = await connect();
    const drill = await connect("drill");
    await expect(pump.publish(up("pump"), PAYLOAD)).rejects.toThrow("without puback");
    await drill.publish(up("drill"), PAYLOAD);
    expect([count("not-handled"), count("malformed")]).toEqual([1, 0]);
  });

  test("of a task gets the messages of that task", async () => {
    const one = bench.lab.serve(undefined, "one");
    const two = bench.lab.serve(undefined, "two");
    const pump = await connect();
    await pump.publish("hw/1/two/up/pump/hello", PAYLOAD);
    await pump.publish("hw/1/one/up/pump/hello", PAYLOAD);
    expect(one.received.map(({ topic }) => topic)).toEqual(["hw/1/one/up/pump/hello"]);
    expect(two.received.map(({ topic }) => topic)).toEqual(["hw/1/two/up/pump/hello"]);
  });

  test("hears presence: what is published, and the will of a device that vanishes", async () => {
    const { received } = bench.lab.serve();
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    await pump.publish("hw/1/t/presence/pump", "online", { retain: true });
    pump.destroy();
    await until(() => received.length === 2);
    expect(received.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["online", "w"]);
  });

  test("hears no will of a device that says goodbye", async () => {
    const { received } = bench.lab.serve();
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    await pump.disconnect();
    await (await connect("drill")).publish(up("drill"), PAYLOAD);
    expect(received.map(({ topic }) => topic)).toEqual([up("drill")]);
  });

  test("hears no will of a device that says goodbye while its messages are being handled", async () => {
    const gate = createGate();
    const { received } = bench.lab.serve(() => gate.opened);
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    for (const i of [1, 2, 3]) pump.publish(up("pump"), Uint8Array.of(i)).catch(() => undefined);
    await until(() => received.length === 1);
    await pump.disconnect();
    gate.open();
    await until(() => bench.lab.broker.connections === 0 && received.length >= 3);
    await (await connect("drill")).publish(up("drill"), PAYLOAD);
    expect(received.map(({ topic }) => topic)).toEqual([up("pump"), up("pump"), up("pump"), up("drill")]);
  });

  test("a handler that hangs holds its sender up: what it sends on stays on its side", async () => {
    const gate = createGate();
    const { received } = bench.lab.serve(() => gate.opened);
    const pump = await connect();
    const chunk = new Uint8Array(64 * 1024);
    const all = Promise.all(Array.from({ length: 400 }, () => pump.publish(up("pump", "chunk"), chunk)));
    await until(() => received.length === 1);
    const drill = await connect("drill");
    // Its first message is stuck too, and shows that the broker has had time to read whatever it would.
    const isOtherDone = settled(drill.publish(up("drill"), PAYLOAD));
    await until(() => received.length === 2);
    expect(bench.lab.broker.traffic.up).toBeLessThan(2 * 1024 * 1024);
    gate.open();
    await all;
    await until(isOtherDone);
    expect(received).toHaveLength(401);
  });
});

describe("close", () => {
  test("lets a running handler end and acknowledges it", async () => {
    const gate = createGate();
    const { received } = bench.lab.serve(() => gate.opened);
    const pump = await connect();
    const isDone = settled(pump.publish(up("pump"), PAYLOAD));
    await until(() => received.length === 1);
    const closing = bench.lab.broker.close();
    await expect(RawMqtt.open(bench.lab.tcp)).rejects.toThrow("ECONNREFUSED");
    gate.open();
    await closing;
    await until(isDone);
    await pump.closed();
  });

  test("waits only so long for a handler, and ends sockets that have said nothing", async () => {
    await restrict({ closeTimeoutMs: 20 });
    const { received } = bench.lab.serve(() => new Promise<void>(() => undefined));
    const pump = await connect();
    const silent = await open();
    pump.publish(up("pump"), PAYLOAD).catch(() => undefined);
    await until(() => received.length === 1);
    await bench.lab.broker.close();
    await pump.closed();
    await silent.closed();
    expect(count("close-timeout")).toBe(1);
  });
});
