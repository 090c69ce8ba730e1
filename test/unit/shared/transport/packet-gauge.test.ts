import fc from "fast-check";
import { generate } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { PacketGauge } from "../../../../shared/transport/packet-gauge.js";

function publish(payloadBytes: number): Buffer {
  return generate({
    ...{ cmd: "publish", topic: "t", qos: 0, dup: false, retain: false },
    payload: Buffer.alloc(payloadBytes, 0xff),
  });
}

/** The stream in pieces cut at these points. */
function pieces(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => stream.subarray(at[i], end));
}

describe("a packet gauge", () => {
  test("lets every packet within the limit through, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(200_000), { maxLength: 30 }),
        (sizes, cuts) => {
          const stream = Buffer.concat([
            ...sizes.map(publish),
            generate({ cmd: "pingresp" }),
            ...sizes.map(publish),
          ]);
          // Topic with its length.
          const gauge = new PacketGauge(Math.max(...sizes) + 3);
          for (const piece of pieces(stream, cuts)) expect(gauge.excess(piece)).toBeUndefined();
        },
      ),
    );
  });

  test("names the size of the first packet beyond the limit as soon as its header is there", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 300_000 }),
        fc.array(fc.nat(1100), { maxLength: 30 }),
        (size, cuts) => {
          const stream = Buffer.concat([publish(990), publish(size).subarray(0, 6)]);
          const gauge = new PacketGauge(999);
          const found = pieces(stream, cuts).map((piece) => gauge.excess(piece));
          expect(found.filter((excess) => excess !== undefined)).toContain(size + 3);
        },
      ),
    );
  });
});
