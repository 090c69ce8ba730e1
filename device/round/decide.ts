// Participation, all the thinking of it: pure. One round at a time, every offer comes to an end, and an update
// leaves the outbox only by its receipt or as the oldest of too many.

import { unreachable } from "../../shared/assert.js";
import type { Offer } from "../../shared/wire/message.js";
import type { AbandonReason } from "../fact.js";
import type { BuiltUpdate } from "../update/builder.js";
import * as upload from "./decide-upload.js";
import {
  OUTBOX_MAX,
  type Participation,
  type ParticipationCommand,
  type ParticipationEvent,
  type PendingUpdate,
  type Step,
} from "./state.js";

/** Answered rounds remembered. */
const ANSWERED_MAX = 16;

/** What one event changes, and what is to be done about it. */
export function decide(state: Participation, event: ParticipationEvent): Step {
  switch (event.type) {
    case "recovered":
      return recover(state, event.outbox);
    case "task-adopted":
      return adoptTask(state);
    case "connected":
      return connect(state);
    case "disconnected":
      return disconnect(state);
    case "offer":
      return considerOffer(state, event.offer, event.refusal);
    case "wait":
      return { state, commands: [{ type: "hello-later", afterMs: event.retryMs }] };
    case "eligible":
    case "hello-due":
      return state.work === undefined ? then(state, hello(state)) : then(state);
    case "deadline":
      return isWorkingOn(state, event.round) && !isStoring(state) ? giveUp(state, "deadline") : then(state);
    case "base-ready":
    case "base-refused":
    case "worked":
    case "work-failed":
      return isWorkingOn(state, event.round) ? proceed(state, event) : then(state);
    case "update-stored":
      return keepUpdate(state, event);
    case "missing":
      return upload.sendMissing(state, event);
    case "chunks-sent":
      return upload.commit(state, event.updateId);
    case "upload-due":
      return upload.announceAgain(state);
    case "receipt":
      return settle(state, event);
    default:
      return unreachable(event);
  }
}

function then(state: Participation, commands: readonly ParticipationCommand[] = []): Step {
  return { state, commands };
}

function hello({ isConnected, isReady }: Participation): ParticipationCommand[] {
  return isConnected && isReady ? [{ type: "say-hello" }] : [];
}

function recover(state: Participation, outbox: readonly PendingUpdate[]): Step {
  return evict({ ...state, outbox });
}

function adoptTask(state: Participation): Step {
  const ready = { ...state, isReady: true, declined: undefined };
  if (ready.work !== undefined && !isStoring(ready)) return giveUp(ready, "task-changed");
  return then(ready, hello(ready));
}

// Nothing of an earlier session can arrive in this one, so an offer now is meant, whatever was answered before.
function connect(state: Participation): Step {
  const connected = { ...state, isConnected: true, answered: [], declined: undefined };
  const sending = upload.start(connected);
  return then(sending.state, [...hello(connected), ...sending.commands]);
}

// Work goes on without a connection; what waits for an answer does not.
function disconnect(state: Participation): Step {
  const commands: ParticipationCommand[] = [{ type: "stop-asking" }, { type: "stop-upload" }];
  return then({ ...state, isConnected: false, upload: undefined }, commands);
}

function considerOffer(state: Participation, offer: Offer, refusal: string | undefined): Step {
  const { round } = offer;
  const { work, declined } = state;
  if (work !== undefined && (isStoring(state) || round <= work.offer.round)) {
    return then(state, [{ type: "stop-asking" }]);
  }
  if (isAnswered(state, round)) return then(state, [{ type: "hello-later", afterMs: "back-off" }]);
  const superseded = work === undefined ? [] : [abandon(work.offer.round, "superseded")];
  const reason = declined?.round === round ? declined.reason : refusal;
  if (reason !== undefined) {
    const step = decline({ ...state, work: undefined }, round, reason);
    return then(step.state, [...superseded, ...step.commands]);
  }
  return accept(state, offer, superseded);
}

function accept(state: Participation, offer: Offer, before: readonly ParticipationCommand[]): Step {
  const commands: ParticipationCommand[] = [...before, { type: "stop-asking" }, { type: "prepare", offer }];
  if (offer.manifest !== null) return then({ ...state, work: { offer, phase: "fetching" } }, commands);
  commands.push({ type: "work", offer, base: undefined });
  return then({ ...state, work: { offer, phase: "working" } }, commands);
}

type WorkEvent = Extract<
  ParticipationEvent,
  { type: "base-ready" | "base-refused" | "worked" | "work-failed" }
>;

function proceed(state: Participation, event: WorkEvent): Step {
  const { offer } = state.work!;
  switch (event.type) {
    case "base-ready":
      return then({ ...state, work: { offer, phase: "working" } }, [
        { type: "work", offer, base: event.base },
      ]);
    case "base-refused":
      return giveUp(state, "base-refused");
    case "worked":
      return then({ ...state, work: { offer, phase: "storing" } }, [store(event.update)]);
    case "work-failed":
      return decline({ ...state, work: undefined }, offer.round, event.reason);
    default:
      return unreachable(event);
  }
}

function store(update: BuiltUpdate): ParticipationCommand {
  return { type: "store", update };
}

// Hello comes later and not at once: the server has just heard that there is no use in asking.
function decline(state: Participation, round: number, reason: string): Step {
  return then({ ...state, declined: { round, reason } }, [
    { type: "decline", round, reason },
    { type: "hello-later", afterMs: "back-off" },
  ]);
}

function giveUp(state: Participation, reason: AbandonReason): Step {
  const { round } = state.work!.offer;
  const idle = { ...state, work: undefined };
  // A refused blob would be offered and refused again at once.
  const next: readonly ParticipationCommand[] =
    reason === "base-refused" ? [{ type: "hello-later", afterMs: "back-off" }] : hello(idle);
  return then(idle, [abandon(round, reason), ...next]);
}

function abandon(round: number, reason: AbandonReason): ParticipationCommand {
  return { type: "abandon", round, reason };
}

function keepUpdate(state: Participation, update: PendingUpdate): Step {
  const { updateId, round } = update;
  const known = state.outbox.filter((pending) => pending.updateId !== updateId);
  const kept = evict({
    ...state,
    work: isWorkingOn(state, round) ? undefined : state.work,
    outbox: [...known, { updateId, round }],
    answered: [...state.answered, round].slice(-ANSWERED_MAX),
  });
  // The newest update is the one whose round is still open, so it goes first.
  const sending = upload.start(kept.state);
  // Should the next offer be lost, a hello will bring it.
  const asking: readonly ParticipationCommand[] = state.isConnected
    ? [{ type: "hello-later", afterMs: "back-off" }]
    : [];
  return then(sending.state, [...kept.commands, ...sending.commands, ...asking]);
}

function evict(state: Participation): Step {
  const surplus = state.outbox.slice(0, Math.max(0, state.outbox.length - OUTBOX_MAX));
  const outbox = state.outbox.slice(surplus.length);
  const commands = surplus.map((update) => ({ type: "evict", update }) as const);
  return then({ ...state, outbox }, commands);
}

type PendingWord = Extract<ParticipationEvent, { type: "receipt" }>;

function settle(state: Participation, { updateId, status, reason }: PendingWord): Step {
  const update = state.outbox.find((pending) => pending.updateId === updateId);
  if (update === undefined) return then(state);
  const rest = { ...state, outbox: state.outbox.filter((pending) => pending !== update) };
  const next = state.upload?.updateId === updateId ? upload.startNext(rest) : then(rest);
  const asking = next.state.work === undefined ? hello(next.state) : [];
  return then(next.state, [{ type: "settle", update, status, reason }, ...next.commands, ...asking]);
}

function isWorkingOn({ work }: Participation, round: number): boolean {
  return work?.offer.round === round;
}

// Its update may be stored already: too late to give up, and its answer is a moment away.
function isStoring({ work }: Participation): boolean {
  return work?.phase === "storing";
}

function isAnswered({ answered, outbox }: Participation, round: number): boolean {
  return answered.includes(round) || outbox.some((pending) => pending.round === round);
}
