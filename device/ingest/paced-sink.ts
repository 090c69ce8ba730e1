// Replays at the pace it happened: a message of a file waits until it is its time, and then is like any other.

import type { Decode } from "./decoders/port.js";
import type { Pacer } from "./pacer.js";
import type { MessageSink, SourceMessage } from "./sources/port.js";

/** How a source is paced. */
export interface Paced {
  readonly pacer: Pacer;
  /** One of its own, since decoders remember what they have read. */
  readonly decode: Decode;
}

/** In front of another sink. A message that waits when its replay ends is not handed on: it is read again. */
export class PacedSink implements MessageSink {
  readonly #sink: MessageSink;
  readonly #paced: ReadonlyMap<string, Paced>;

  constructor(sink: MessageSink, paced: ReadonlyMap<string, Paced>) {
    this.#sink = sink;
    this.#paced = paced;
  }

  async take(message: SourceMessage): Promise<void> {
    const paced = this.#paced.get(message.source);
    if (paced !== undefined && !(await isDue(paced, message))) return;
    await this.#sink.take(message);
  }
}

async function isDue(
  { pacer, decode }: Paced,
  { topic, payload, arrivalMs }: SourceMessage,
): Promise<boolean> {
  for (const { timeMs } of decode({ topic, payload, arrivalMs }).readings) {
    if (!(await pacer.wait(timeMs))) return false;
  }
  return true;
}
