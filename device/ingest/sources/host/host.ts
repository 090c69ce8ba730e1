// The machine as a sensor: what it is doing, every few seconds, as a JSON message like any other.

import { tmpdir } from "node:os";
import type { Cancel } from "../../../../shared/clock.js";
import { HOST_TIME_FIELD } from "../../../../shared/task/host-fields.js";
import type { HostBinding } from "../binding.js";
import type { BoundSource, Source, SourceContext, SourceKind } from "../port.js";
import { HostMeter } from "./meter.js";

/** `host`. */
export const hostKind: SourceKind<HostBinding> = {
  doc: "The machine itself: processor, memory, disk, network, temperature; also without the owner's word when the task says so.",
  example: `sources:
  machine: { host: { every: 10s } }
`,
  keyOf: ({ name }) => name,
  open: async ([source], context) => new HostSource(source!, context),
};

/** Measures from its making until closed, at whole multiples of its interval. */
class HostSource implements Source {
  readonly isConnected = true;
  readonly #source: BoundSource<HostBinding>;
  readonly #context: SourceContext;
  readonly #meter: HostMeter;
  #cancel: Cancel = () => undefined;
  #isClosed = false;

  constructor(source: BoundSource<HostBinding>, context: SourceContext) {
    this.#source = source;
    this.#context = context;
    this.#meter = new HostMeter({ folder: context.folder ?? tmpdir() });
    this.#meter.read(context.clock.now());
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
  }

  #schedule(): void {
    const { clock } = this.#context;
    const { everyMs } = this.#source.binding;
    this.#cancel = clock.after(everyMs - (clock.now() % everyMs), () => void this.#tell());
  }

  /** The next one is measured when this one is safe: a pipeline that is behind gets fewer, not a queue of old ones. */
  async #tell(): Promise<void> {
    const { clock, sink } = this.#context;
    const { name, binding } = this.#source;
    const arrivalMs = clock.now();
    const payload = Buffer.from(
      JSON.stringify({ [HOST_TIME_FIELD]: arrivalMs / 1000, ...this.#meter.read(arrivalMs) }),
    );
    await sink.take({ source: name, topic: binding.topic ?? "host", payload, arrivalMs });
    if (!this.#isClosed) this.#schedule();
  }
}
