// Text to a file or to the standard output, until its reader goes away.

import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { HeadwaterError, messageOf } from "../shared/error.js";

/** Where text goes. */
export interface TextOut {
  write(text: string): void;
  /** Hands on what was written. Resolves to false when the reader has gone; rejects when it cannot be written. */
  ready(): Promise<boolean>;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Opens a file, anew, or the standard output. */
export function openTextOut(path: string | undefined): TextOut {
  return path === undefined
    ? textOutTo(process.stdout, "the standard output")
    : new StreamOut(createWriteStream(path), path, true);
}

/** A stream that stays the caller's; `name` is what errors call it. */
export function textOutTo(stream: Writable, name: string): TextOut {
  return new StreamOut(stream, name, false);
}

class StreamOut implements TextOut {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #isOwn: boolean;
  #text = "";
  #failure: Error | undefined;

  constructor(stream: Writable, name: string, isOwn: boolean) {
    this.#stream = stream;
    this.#name = name;
    this.#isOwn = isOwn;
    // Each write learns of it; without a listener it would end the process.
    stream.on("error", (error) => {
      this.#failure ??= error;
    });
  }

  write(text: string): void {
    this.#text += text;
  }

  async close(): Promise<void> {
    await this.ready();
    if (!this.#isOwn || this.#failure !== undefined) return;
    await new Promise<void>((resolve) => this.#stream.end(() => resolve()));
    this.#isOpen();
  }

  async ready(): Promise<boolean> {
    const text = this.#text;
    this.#text = "";
    if (text !== "" && this.#isOpen()) {
      const error = await this.#send(text);
      if (error) this.#failure ??= error;
    }
    return this.#isOpen();
  }

  /** A stream that is destroyed may never say what became of its last write. */
  #send(text: string): Promise<Error | null | undefined> {
    return new Promise((resolve) => {
      const giveUp = () => resolve(undefined);
      this.#stream.once("close", giveUp);
      this.#stream.write(text, (error) => {
        this.#stream.off("close", giveUp);
        resolve(error);
      });
    });
  }

  #isOpen(): boolean {
    const error = this.#failure;
    if (error === undefined) return true;
    // The reader has what it wanted (`head`).
    if ("code" in error && error.code === "EPIPE") return false;
    throw new HeadwaterError("storage-failed", `cannot write to ${this.#name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
