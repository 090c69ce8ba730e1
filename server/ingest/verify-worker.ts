// The verify thread's own side: reads an upload's file and judges it.

import { closeSync, openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { Scratch } from "../../shared/wire/scratch.js";
import { attemptFile, readWhole } from "./files.js";
import { verifyUpload } from "./verify.js";
import type { VerifyReply, VerifyRequest } from "./verify-thread.js";

assert(parentPort !== null, "the verify worker runs in a worker thread");
const port = parentPort;
const scratch = new Scratch();

port.on("message", (request: VerifyRequest) => {
  const reply: VerifyReply = { id: request.id, ...answer(request) };
  port.postMessage(reply);
});

// A bug ends this thread, loudly; a file that cannot be read is an answer.
function answer({ path, upload, sender, rules }: VerifyRequest) {
  try {
    const bytes = scratch.bytes(upload.bytes);
    read(path, bytes);
    return { verdict: verifyUpload(upload, bytes, sender, { ...rules, scratch }) };
  } catch (error) {
    if (!(error instanceof HeadwaterError)) throw error;
    return { failure: { code: error.code, message: error.message } };
  }
}

function read(path: string, target: Uint8Array): void {
  attemptFile(path, () => {
    const file = openSync(path, "r");
    try {
      readWhole(file, target);
    } finally {
      closeSync(file);
    }
  });
}
