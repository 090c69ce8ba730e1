import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { PacketMeter } from "../../../../server/broker/packet-meter.js";

const CONNECT = generate({ cmd: "connect", clientId: "pump", clean: true, keepalive: 60 } as Packet);
const LIMIT = 1_000;

/** A meter behind a CONNECT that was accepted. */
function admitted(limitBytes = LIMIT): PacketMeter {
  const meter = new PacketMeter(100);
  expect(meter.follow(CONNECT)).toBe(CONNECT.length);
  meter.admit(limitBytes);
  return meter;
}

function publish(payloadBytes: number): Buffer {
  const payload = Buffer.alloc(payloadBytes, 0xff);
  return generate({ cmd: "publish", topic: "a", payload, qos: 0, dup: false, retain: false });
}

describe("a packet meter", () => {
  test("passes packets of any size up to the limit, however the bytes are cut", () => {
    const packets = fc.array(fc.integer({ min: 0, max: LIMIT - 6 }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(packets, cuts, (sizes, at) => {
        const meter = admitted();
        for (const part of cut(Buffer.concat(sizes.map(publish)), at))
          expect(meter.follow(part)).toBe(part.length);
      }),
    );
  });

  test("finds the first packet that is too large, however the bytes are cut", () => {
    const before = fc.array(fc.integer({ min: 0, max: LIMIT - 6 }), { maxLength: 5 });
    fc.assert(
      fc.property(before, fc.integer({ min: 1, max: 100_000 }), fc.array(fc.nat()), (sizes, excess, at) => {
        const tooLarge = publish(LIMIT - 5 + excess).subarray(0, 6);
        const bytes = Buffer.concat([...sizes.map(publish), tooLarge]);
        const meter = admitted();
        const faults = cut(bytes, at)
          .map((part) => meter.follow(part))
          .filter((each) => typeof each === "string");
        expect(faults[0]).toBe("packet-too-large");
      }),
    );
  });

  test("passes a packet of exactly the limit and refuses one byte more", () => {
    const packet = publish(500);
    expect(admitted(packet.length).follow(packet)).toBe(packet.length);
    expect(admitted(packet.length - 1).follow(packet)).toBe("packet-too-large");
  });

  test("passes CONNECT alone, whatever follows, until it is admitted", () => {
    const meter = new PacketMeter(100);
    const behind = publish(10);
    expect(meter.follow(Buffer.concat([CONNECT, behind]))).toBe(CONNECT.length);
    expect(meter.follow(behind)).toBe(0);
    meter.admit(LIMIT);
    expect(meter.follow(behind)).toBe(behind.length);
  });

  test("refuses a CONNECT over its own limit, and any other first packet", () => {
    expect(new PacketMeter(CONNECT.length - 1).follow(CONNECT)).toBe("packet-too-large");
    expect(new PacketMeter(100).follow(publish(1))).toBe("not-connect");
    expect(new PacketMeter(100).follow(Buffer.from([0x11, 2]))).toBe("not-connect");
  });

  test("refuses a length of more than four bytes (2.2.3)", () => {
    expect(admitted().follow(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80]))).toBe("malformed-length");
    expect(admitted().follow(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x00]))).toBe(5);
  });
});

/** `bytes` cut at the given places, without empty parts. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [
    0,
    ...at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ];
  return places
    .slice(1)
    .map((end, i) => bytes.subarray(places[i], end))
    .filter(({ length }) => length > 0);
}
