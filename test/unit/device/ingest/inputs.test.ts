import { expect, test } from "vitest";
import { EventClock } from "../../../../device/ingest/clock.js";
import type { Decode } from "../../../../device/ingest/decoders/port.js";
import { Inputs } from "../../../../device/ingest/inputs.js";
import { decodeState, encodeState } from "../../../../shared/pipeline/state.js";
import { ManualClock } from "../../../support/manual-clock.js";

/** A decoder that remembers how many messages it has read. */
function counting(): Decode & { count: number } {
  const decode = Object.assign(() => ({ readings: [], faults: [], badValues: 0 }), {
    count: 0,
    memory: {
      save: () => decode.count,
      restore(saved: unknown) {
        decode.count = Number(saved);
      },
    },
  });
  return decode;
}

function inputs() {
  const clock = new EventClock(new ManualClock(), 60);
  const decode = counting();
  const plain: Decode = () => ({ readings: [], faults: [], badValues: 0 });
  const all = new Inputs(clock);
  all.follow(
    new Map([
      ["a", decode],
      ["b", plain],
    ]),
  );
  return { clock, decode, all };
}

test("the clock and decoders go on where they were", () => {
  const before = inputs();
  before.clock.heard(1_000_000, 500);
  before.decode.count = 7;
  const after = inputs();
  after.all.restore(decodeState(encodeState(before.all.save())));
  expect([after.clock.at(1500), after.decode.count]).toEqual([1_060_000, 7]);
});

test("without anything saved the clock has heard nothing", () => {
  const { clock, all } = inputs();
  clock.heard(1_000_000, 500);
  all.restore(null);
  expect(clock.at(1500)).toBeUndefined();
});
