// Where a device's message goes: topic, sender and payload checked, then one handler per kind.

import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { UplinkMessage } from "../../shared/transport/port.js";
import { decodeMessage, type UpMessage, upSchemas } from "../../shared/wire/message.js";
import { parseTopic, type UpKind } from "../../shared/wire/topic.js";
import { handleBegin } from "./begin.js";
import { handleChunk } from "./chunk.js";
import { handleCommit } from "./commit.js";
import type { Handler, IngestContext } from "./context.js";
import { handleDecline } from "./decline.js";
import { handleGet } from "./get.js";
import { handleHello } from "./hello.js";
import { handleReport } from "./report.js";
import { settle } from "./settle.js";
import { handleWant } from "./want.js";

const handlers: { readonly [Kind in UpKind]: Handler<Kind> } = {
  hello: handleHello,
  decline: handleDecline,
  begin: handleBegin,
  chunk: handleChunk,
  commit: handleCommit,
  get: handleGet,
  report: handleReport,
  want: handleWant,
};

/** Handles one message from the uplink. Rejects when the device shall send it again. */
export async function route(context: IngestContext, message: UplinkMessage): Promise<void> {
  const { drops, fleet, task } = context;
  const { topic, payload, clientId } = message;
  const parsed = parseTopic(topic);
  if (parsed === undefined || !("device" in parsed) || parsed.direction === "down") {
    drops.drop(clientId ?? "?", "bad-topic");
  } else if (parsed.task !== task) {
    drops.drop(parsed.device, "other-task");
  } else if (clientId !== undefined && clientId !== parsed.device) {
    drops.drop(clientId, "foreign-client");
  } else if (parsed.direction === "presence") {
    if (Buffer.from(payload).toString("latin1") === "offline") fleet.left(parsed.device);
  } else {
    fleet.carried(parsed.device, { up: payload.length });
    await handle(context, parsed.device, parsed.kind, payload);
  }
}

async function handle<Kind extends UpKind>(
  context: IngestContext,
  device: DeviceId,
  kind: Kind,
  payload: Uint8Array,
): Promise<void> {
  // The schema of this kind has just checked it.
  const message = decodeMessage(upSchemas[kind], payload) as UpMessage<Kind> | undefined;
  if (message === undefined) {
    context.drops.drop(device, "undecodable");
    return;
  }
  try {
    await handlers[kind](context, device, message);
  } catch (error) {
    if (!(error instanceof HeadwaterError)) {
      context.fail(error);
      throw error;
    }
    context.drops.drop(device, error.code, error.message);
    if (error.code !== "storage-full") throw error;
    await shed(context, device, message, error);
  }
}

/**
 * The disk is full. The upload at hand makes room: it is dropped and refused in one transaction, so that what
 * others have sent can still be accepted. Without an upload, or when even that finds no room, the message stays
 * without acknowledgement and the device sends it again. Nothing accepted is touched either way.
 */
async function shed(
  context: IngestContext,
  device: DeviceId,
  message: UpMessage,
  error: HeadwaterError,
): Promise<void> {
  if (!("updateId" in message)) throw error;
  const { updateId } = message;
  const upload = context.staging.find(device, updateId);
  const round = upload?.round ?? ("round" in message ? message.round : undefined);
  if (round === undefined) throw error;
  const update = { device, updateId, round, kind: undefined, baseVersion: undefined };
  await settle(context, update, { ok: false, reason: "storage-full" });
}
