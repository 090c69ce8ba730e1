// The upload part of participation: begin, send what is missing, commit, until a receipt comes. One at a time.

import type { UpdateId } from "../../shared/id.js";
import type { ByteRange } from "../../shared/wire/chunk.js";
import type { Participation, ParticipationCommand, Step } from "./state.js";

// So often chunks are sent as soon as the server asks; after that a pass costs one delay of the back-off, or two
// sides that never agree would fill the link.
const FAST_PASSES = 4;

/** Sends the newest update, whatever was being sent before. */
export function start(state: Participation): Step {
  const newest = state.outbox.at(-1);
  if (!state.isConnected || newest === undefined) return { state, commands: [] };
  if (newest.updateId === state.upload?.updateId) return { state, commands: [] };
  const { updateId } = newest;
  const commands: readonly ParticipationCommand[] = [{ type: "stop-upload" }, { type: "begin", updateId }];
  return { state: { ...state, upload: { updateId, phase: "announced", passes: 0 } }, commands };
}

/** The upload is over: on with the next, if there is one. */
export function startNext(state: Participation): Step {
  const next = start({ ...state, upload: undefined });
  return next.commands.length > 0 ? next : { state: next.state, commands: [{ type: "stop-upload" }] };
}

/** The server has named what it lacks. */
export function sendMissing(
  state: Participation,
  answer: { readonly updateId: UpdateId; readonly ranges: readonly ByteRange[] },
): Step {
  const { upload } = state;
  const { updateId, ranges } = answer;
  if (upload?.updateId !== updateId || upload.phase === "sending") return { state, commands: [] };
  if (upload.phase === "committed" && upload.passes >= FAST_PASSES) return { state, commands: [] };
  const sending = { ...upload, phase: "sending", passes: upload.passes + 1 } as const;
  return { state: { ...state, upload: sending }, commands: [{ type: "send-chunks", updateId, ranges }] };
}

/** All chunks have left. */
export function commit(state: Participation, updateId: UpdateId): Step {
  const { upload } = state;
  if (upload?.updateId !== updateId || upload.phase !== "sending") return { state, commands: [] };
  const committed = { ...upload, phase: "committed" } as const;
  return { state: { ...state, upload: committed }, commands: [{ type: "commit", updateId }] };
}

/** No answer came: ask how much has arrived. There is no last attempt, only a receipt ends it. */
export function announceAgain(state: Participation): Step {
  const { upload } = state;
  if (upload === undefined || upload.phase === "sending") return { state, commands: [] };
  const { updateId } = upload;
  const announced = { ...upload, phase: "announced" } as const;
  return { state: { ...state, upload: announced }, commands: [{ type: "begin", updateId }] };
}
