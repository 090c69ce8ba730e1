// Laws of participation, for any order of events: those of a network, a server and a trainer at their worst.

import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../device/round/decide.js";
import {
  initialParticipation,
  OUTBOX_MAX,
  type Participation,
  type ParticipationCommand,
  type ParticipationEvent,
} from "../../device/round/state.js";
import type { BuiltUpdate } from "../../device/update/builder.js";
import type { UpdateId } from "../../shared/id.js";
import type { Manifest, Offer } from "../../shared/wire/message.js";
import { sampleMessages } from "../support/sample-messages.js";

/** Scripts are cheap, and the rare orders are the interesting ones. */
const RUNS = { numRuns: 1000 } as const;

const rounds = fc.integer({ min: 1, max: 12 });
const sampleManifest = sampleMessages.find(({ kind }) => kind === "manifest")!.message as Manifest;
const updateIdOf = (round: number) => `update-${round}` as UpdateId;

function offerOf(round: number, hasBase: boolean): Offer {
  const kind = hasBase ? "train" : "fit";
  const manifest = hasBase ? sampleManifest : null;
  return { v: 1, round, kind, manifest, sinceMs: null, seed: "s", remainingMs: 1000, chunkBytes: 1024 };
}

/** What the world does on its own; what answers a command is added by the model below. */
const outside: fc.Arbitrary<ParticipationEvent> = fc.oneof(
  fc.constant({ type: "connected" as const }),
  fc.constant({ type: "disconnected" as const }),
  fc.constant({ type: "task-adopted" as const }),
  fc.constant({ type: "hello-due" as const }),
  fc.constant({ type: "eligible" as const }),
  fc.constant({ type: "upload-due" as const }),
  fc.integer({ min: 0, max: 100 }).map((retryMs) => ({ type: "wait" as const, retryMs })),
  fc
    .tuple(rounds, fc.boolean(), fc.option(fc.constant("on battery"), { nil: undefined }))
    .map(([round, hasBase, refusal]) => ({
      type: "offer" as const,
      offer: offerOf(round, hasBase),
      refusal,
    })),
  rounds.map((round) => ({ type: "missing" as const, updateId: updateIdOf(round), ranges: [] })),
  rounds.map((round) => ({
    type: "receipt" as const,
    updateId: updateIdOf(round),
    status: "accepted" as const,
    reason: null,
  })),
);

/** How the device's own hands answer what they are working on, when their turn comes. */
const answers = ["deadline", "done", "failed", "refused", "stale"] as const;
type Answer = (typeof answers)[number];
const hands = fc.constantFrom(...answers).map((answer) => ({ answer }));

const script = fc.array(fc.oneof({ weight: 3, arbitrary: outside }, { weight: 2, arbitrary: hands }), {
  maxLength: 120,
});

type Ending = "update" | "decline" | "abandon";

/** Runs a script, and watches what the commands do to the world. */
class World {
  state: Participation = initialParticipation;
  readonly stored = new Map<UpdateId, number>();
  readonly left: { updateId: UpdateId; cause: "settle" | "evict" }[] = [];
  readonly accepted: number[] = [];
  readonly endings: { round: number; ending: Ending }[] = [];
  job: { round: number; phase: "fetching" | "working" } | undefined;
  jobsAtOnce = 0;

  step(event: ParticipationEvent): void {
    const { state, commands } = decide(this.state, event);
    this.state = state;
    for (const command of commands) this.#do(command);
  }

  /** The hands answer; `stale` is an answer for a round that nobody works on. */
  answer(answer: Answer): void {
    const round = answer === "stale" ? 99 : this.job?.round;
    if (round !== undefined) this.step(this.#answerFor(round, answer));
  }

  #answerFor(round: number, answer: Answer): ParticipationEvent {
    if (answer === "deadline") return { type: "deadline", round };
    if (answer === "failed") return { type: "work-failed", round, reason: "diverged" };
    if (answer === "refused") return { type: "base-refused", round };
    if (this.job?.phase === "fetching") return { type: "base-ready", round, base: {} as never };
    return { type: "worked", round, update: { updateId: updateIdOf(round), round } as BuiltUpdate };
  }

  #do(command: ParticipationCommand): void {
    if (command.type === "prepare") this.#startJob({ round: command.offer.round, phase: "fetching" });
    if (command.type === "work") this.job = { round: command.offer.round, phase: "working" };
    if (command.type === "decline" || command.type === "abandon") this.#end(command.round, command.type);
    if (command.type === "store") {
      const { updateId, round } = command.update;
      this.stored.set(updateId, round);
      this.#end(round, "update");
      this.step({ type: "update-stored", updateId, round });
    }
    if (command.type === "settle" || command.type === "evict") {
      this.left.push({ updateId: command.update.updateId, cause: command.type });
      this.stored.delete(command.update.updateId);
    }
  }

  #startJob(job: NonNullable<World["job"]>): void {
    this.accepted.push(job.round);
    this.jobsAtOnce = Math.max(this.jobsAtOnce, this.job === undefined ? 1 : 2);
    this.job = job;
  }

  #end(round: number, ending: Ending): void {
    if (this.job?.round !== round) return;
    this.job = undefined;
    this.endings.push({ round, ending });
  }
}

function run(events: readonly (ParticipationEvent | { readonly answer: Answer })[]): World {
  const world = new World();
  for (const event of events) {
    if ("answer" in event) world.answer(event.answer);
    else world.step(event);
  }
  return world;
}

test("there are never two jobs at once", () => {
  fc.assert(
    fc.property(script, (events) => {
      expect(run(events).jobsAtOnce).toBeLessThanOrEqual(1);
    }),
    RUNS,
  );
});

test("every accepted offer ends in an update, a decline or is abandoned, at the latest at its deadline", () => {
  fc.assert(
    fc.property(script, (events) => {
      const world = run(events);
      world.answer("deadline");
      expect(world.endings.map(({ round }) => round)).toEqual(world.accepted);
      expect(world.state.work).toBeUndefined();
    }),
    RUNS,
  );
});

test("an update leaves the outbox only by its receipt, or as the oldest of too many", () => {
  fc.assert(
    fc.property(script, (events) => {
      const world = new World();
      for (const event of events) {
        const before = world.state.outbox;
        const leftBefore = world.left.length;
        if ("answer" in event) world.answer(event.answer);
        else world.step(event);
        for (const { updateId, cause } of world.left.slice(leftBefore)) {
          if (cause === "settle") expect(event).toMatchObject({ type: "receipt", updateId });
          else expect(before[0]?.updateId).toBe(updateId);
        }
      }
      expect(world.state.outbox.length).toBeLessThanOrEqual(OUTBOX_MAX);
    }),
    RUNS,
  );
});

test("what the state says of the outbox is what is on disk", () => {
  fc.assert(
    fc.property(script, (events) => {
      const { state, stored } = run(events);
      expect(new Set(state.outbox.map(({ updateId }) => updateId))).toEqual(new Set(stored.keys()));
    }),
    RUNS,
  );
});

test("a device that restarts carries on with its newest update, and can be asked to work", () => {
  fc.assert(
    fc.property(script, (events) => {
      const { state } = run(events);
      const recovered = decide(initialParticipation, { type: "recovered", outbox: state.outbox });
      expect(recovered.state.outbox).toEqual(state.outbox);
      const ready = decide(recovered.state, { type: "task-adopted" }).state;
      const { commands } = decide(ready, { type: "connected" });
      expect(commands).toContainEqual({ type: "say-hello" });
      const newest = state.outbox.at(-1);
      if (newest === undefined) return;
      expect(commands).toContainEqual({ type: "begin", updateId: newest.updateId });
      const echo = decide(ready, { type: "offer", offer: offerOf(newest.round, true), refusal: undefined });
      expect(echo.state.work).toBeUndefined();
    }),
    RUNS,
  );
});

test("a connected, idle device with a task always has a hello ahead of it or an update to send", () => {
  fc.assert(
    fc.property(script, (events) => {
      const world = new World();
      let isAsking = false;
      const note = (commands: readonly ParticipationCommand[]) => {
        for (const { type } of commands) {
          if (type === "say-hello" || type === "hello-later") isAsking = true;
          if (type === "stop-asking") isAsking = false;
        }
      };
      for (const event of events) {
        if ("answer" in event) continue;
        const { state, commands } = decide(world.state, event);
        world.state = state;
        // The timer has fired: what follows must set it again.
        if (event.type === "hello-due") isAsking = false;
        note(commands);
        // Work ends at once, in any of its ways.
        if (state.work !== undefined) {
          const ended = decide(state, { type: "deadline", round: state.work.offer.round });
          world.state = ended.state;
          note(ended.commands);
        }
        const { isConnected, isReady } = world.state;
        if (isConnected && isReady) expect(isAsking).toBe(true);
      }
    }),
    RUNS,
  );
});
