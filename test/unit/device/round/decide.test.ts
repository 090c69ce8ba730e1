// What the laws of test/property do not say: which command, and when.

import { describe, expect, test } from "vitest";
import { decide } from "../../../../device/round/decide.js";
import {
  initialParticipation,
  type Participation,
  type ParticipationCommand,
  type ParticipationEvent,
} from "../../../../device/round/state.js";
import type { UpdateId } from "../../../../shared/id.js";
import type { Offer } from "../../../../shared/wire/message.js";

const fitOffer = (round: number): Offer => ({
  v: 1,
  round,
  kind: "fit",
  manifest: null,
  seed: "s",
  sinceMs: null,
  remainingMs: 1000,
  chunkBytes: 1024,
});
const offer = (round: number, refusal?: string): ParticipationEvent => ({
  type: "offer",
  offer: fitOffer(round),
  refusal,
});
const stored = (round: number): ParticipationEvent => ({
  type: "update-stored",
  round,
  updateId: `u${round}` as UpdateId,
});

function given(...events: ParticipationEvent[]): { state: Participation; commands: string[] } {
  let state = initialParticipation;
  let commands: readonly ParticipationCommand[] = [];
  for (const event of events) ({ state, commands } = decide(state, event));
  return { state, commands: commands.map(({ type }) => type) };
}

const ready: ParticipationEvent[] = [{ type: "task-adopted" }, { type: "connected" }];

describe("hello", () => {
  test("waits for both a task and a connection", () => {
    expect(given({ type: "connected" }).commands).toEqual([]);
    expect(given({ type: "task-adopted" }).commands).toEqual([]);
    expect(given(...ready).commands).toEqual(["say-hello"]);
    expect(given({ type: "connected" }, { type: "task-adopted" }).commands).toEqual(["say-hello"]);
  });

  test("is not said while at work, but when the work is given up", () => {
    expect(given(...ready, offer(1), { type: "hello-due" }).commands).toEqual([]);
    const late = given(...ready, offer(1), { type: "deadline", round: 1 });
    expect(late.commands).toEqual(["abandon", "say-hello"]);
  });

  test("follows a receipt", () => {
    const receipt = {
      type: "receipt",
      updateId: "u1" as UpdateId,
      status: "accepted",
      reason: null,
    } as const;
    expect(given(...ready, stored(1), receipt).commands).toEqual(["settle", "stop-upload", "say-hello"]);
  });
});

describe("an offer", () => {
  test("of the round at work, or of an older one, changes nothing", () => {
    const { state } = given(...ready, offer(2));
    for (const round of [1, 2]) {
      const again = decide(state, offer(round));
      expect(again.state).toEqual(state);
      expect(again.commands).toEqual([{ type: "stop-asking" }]);
    }
  });

  test("of a round whose update waits in the outbox is not worked on again", () => {
    const { state, commands } = given(...ready, stored(3), offer(3));
    expect(state.work).toBeUndefined();
    expect(commands).toEqual(["hello-later"]);
  });

  test("of a round given up before may be taken up again", () => {
    const { commands } = given(...ready, offer(1), { type: "deadline", round: 1 }, offer(1));
    expect(commands).toContain("work");
  });

  test("of a declined round means that the decline was lost: it is said again", () => {
    expect(given(...ready, offer(1, "on battery"), offer(1)).commands).toEqual(["decline", "hello-later"]);
  });
});

describe("an upload", () => {
  const missing = { type: "missing", updateId: "u1" as UpdateId, ranges: [[0, 5]] } as const;
  const sent = { type: "chunks-sent", updateId: "u1" as UpdateId } as const;

  test("goes begin, chunks, commit", () => {
    expect(given(...ready, stored(1)).commands).toContain("begin");
    expect(given(...ready, stored(1), missing).commands).toEqual(["send-chunks"]);
    expect(given(...ready, stored(1), missing, sent).commands).toEqual(["commit"]);
  });

  test("that the server keeps finding incomplete slows down to the back-off", () => {
    const passes = Array.from({ length: 4 }, () => [missing, sent]).flat();
    expect(given(...ready, stored(1), ...passes, missing).commands).toEqual([]);
    const due = given(...ready, stored(1), ...passes, missing, { type: "upload-due" });
    expect(due.commands).toEqual(["begin"]);
    expect(decide(due.state, missing).commands).toMatchObject([{ type: "send-chunks" }]);
  });

  test("gives way to a newer update, whose round may still be open", () => {
    const { state, commands } = given(...ready, stored(1), missing, stored(2));
    expect(state.upload?.updateId).toBe("u2");
    expect(commands).toEqual(["stop-upload", "begin", "hello-later"]);
  });

  test("rests without a connection, and begins again with the next", () => {
    const { state, commands } = given(...ready, stored(1), missing, { type: "disconnected" });
    expect(commands).toEqual(["stop-asking", "stop-upload"]);
    expect(decide(state, { type: "connected" }).commands.map(({ type }) => type)).toContain("begin");
  });
});
