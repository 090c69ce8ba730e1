// The signed task: verified before anything in it is believed, and kept for a start without a network.

import type { KeyObject } from "node:crypto";
import { HeadwaterError, messageOf } from "../shared/error.js";
import type { TaskId } from "../shared/id.js";
import type { Database } from "../shared/storage/port.js";
import { type LoadedTask, parseTaskSource } from "../shared/task/parse.js";
import { decodeMessage, encodeMessage, type SignedTask, signedTaskSchema } from "../shared/wire/message.js";
import { verifyTask } from "../shared/wire/signature.js";

/** A task that may be adopted, or why it may not. */
export type VerifiedTask =
  | { readonly ok: true; readonly loaded: LoadedTask }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

/** Checks signature, name, form and hash. */
export function verifySignedTask(
  message: SignedTask,
  expected: { readonly task: TaskId; readonly serverKey: KeyObject },
): VerifiedTask {
  if (message.task !== expected.task) return refused("wrong-task", message.task);
  if (!verifyTask(expected.serverKey, message, message.signature)) return refused("bad-signature", "");
  try {
    const loaded = parseTaskSource(message.source);
    if (loaded.task.task !== expected.task) return refused("wrong-task", loaded.task.task);
    // Another hash of the same source: server and device do not read the language of tasks alike.
    if (loaded.taskHash !== message.taskHash) return refused("wrong-hash", loaded.taskHash);
    return { ok: true, loaded };
  } catch (error) {
    if (!(error instanceof HeadwaterError)) throw error;
    return refused(error.code, messageOf(error));
  }
}

function refused(reason: string, detail: string): VerifiedTask {
  return { ok: false, reason, detail };
}

/** The task kept in `state.db`, if there is one and it can be read. */
export function readTask(database: Database): SignedTask | undefined {
  const row = database.get(`SELECT message FROM task`);
  return row && decodeMessage(signedTaskSchema, row.message as Uint8Array); // declared BLOB in a STRICT table
}

/** Keeps a verified task instead of the one before. The same again, as after every start, writes nothing. */
export function keepTask(database: Database, message: SignedTask): void {
  database.run(
    `INSERT INTO task (id, message) VALUES (1, ?)
     ON CONFLICT (id) DO UPDATE SET message = excluded.message WHERE message IS NOT excluded.message`,
    encodeMessage(message),
  );
}
