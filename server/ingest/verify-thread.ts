// Judges updates on a thread of its own: hashing and checking some megabytes takes tens of milliseconds, in which
// nobody else would be answered. The verdict is the same as here.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { assert } from "../../shared/assert.js";
import { type ErrorCode, HeadwaterError, messageOf } from "../../shared/error.js";
import type { Verdict } from "../round/event.js";
import type { Upload } from "./staging.js";
import type { UpdateRules, UpdateSender } from "./verify.js";

/** An upload to be judged, and the file that holds its bytes. */
export interface VerifyJob {
  readonly path: string;
  readonly upload: Upload;
  readonly sender: UpdateSender;
  readonly rules: UpdateRules;
}

/** What the thread is sent. */
export interface VerifyRequest extends VerifyJob {
  readonly id: number;
}

/** What it answers: a verdict, or why the file could not be read. */
export type VerifyReply = { readonly id: number } & (
  | { readonly verdict: Verdict }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string } }
);

interface Waiting {
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, one update at a time, in the order asked. Does not keep the process alive. */
export class VerifyThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #death: Error | undefined;

  /** Starts the thread as built. */
  static start(): VerifyThread {
    const script = createRequire(import.meta.url).resolve("#verify-worker");
    return new VerifyThread(new Worker(script, { name: "headwater-verify" }));
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.unref();
    worker.on("message", (reply: VerifyReply) => this.#settle(reply));
    worker.on("error", (error) => this.#die(error));
    worker.on("exit", (code) => this.#die(new Error(`the verify thread ended with exit code ${code}`)));
  }

  /** The verdict of `verifyUpload`. Rejects with `storage-failed` when the file cannot be read. */
  verify(job: VerifyJob): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      if (this.#death !== undefined) return reject(this.#death);
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      // A view would take all of the message it was cut from along.
      const sender = { ...job.sender, signature: new Uint8Array(job.sender.signature) };
      const request: VerifyRequest = { ...job, sender, id };
      this.#worker.postMessage(request);
    });
  }

  /** Ends the thread; what it was asked and has not answered rejects. */
  async close(): Promise<void> {
    this.#die(new HeadwaterError("aborted", "the verify thread was closed"));
    await this.#worker.terminate();
  }

  #settle(reply: VerifyReply): void {
    // Under way when the thread was ended: whoever asked has been told of that.
    if (this.#death !== undefined) return;
    const waiting = this.#waiting.get(reply.id);
    assert(waiting !== undefined, "the thread answers what it was asked, once");
    this.#waiting.delete(reply.id);
    if ("verdict" in reply) waiting.resolve(reply.verdict);
    else waiting.reject(new HeadwaterError(reply.failure.code, reply.failure.message));
  }

  /** A thread that dies of itself is a mistake of ours, and whoever waits for it learns that. */
  #die(cause: Error): void {
    this.#death ??= cause instanceof Error ? cause : new Error(messageOf(cause));
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }
}
