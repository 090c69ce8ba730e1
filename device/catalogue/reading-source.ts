// The raw log of a device as readings, for whoever runs a task's pipeline over it.

import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Task } from "../../shared/task/task.js";
import type { SourceMessage } from "../ingest/sources/port.js";
import type { ReadingSource } from "../offline/run.js";
import { loggedMessages } from "./export.js";
import type { FolderView } from "./folder.js";
import { createReadingDecoder } from "./readings.js";

/** Everything that `task` reads in the log, as `device` would. Readings are counted as `telemetry.taken`. */
export async function openCatalogue(
  view: FolderView,
  options: { readonly task: Task; readonly device: DeviceId; readonly counters: Counters },
): Promise<ReadingSource> {
  const { task, device, counters } = options;
  return new CatalogueReadings(loggedMessages(view), await createReadingDecoder(task, device), counters);
}

class CatalogueReadings implements ReadingSource {
  readonly #messages: Generator<SourceMessage>;
  readonly #decode: (message: SourceMessage) => readonly Reading[];
  readonly #counters: Counters;
  #readings: readonly Reading[] = [];
  #next = 0;
  lines = 0;

  constructor(
    messages: Generator<SourceMessage>,
    decode: (message: SourceMessage) => readonly Reading[],
    counters: Counters,
  ) {
    this.#messages = messages;
    this.#decode = decode;
    this.#counters = counters;
  }

  get head(): Reading | undefined {
    return this.#readings[this.#next];
  }

  advance(): void {
    this.#next++;
  }

  async load(): Promise<boolean> {
    while (this.head === undefined) {
      const { value: message, done } = this.#messages.next();
      if (done) return false;
      this.lines++;
      this.#readings = this.#decode(message);
      this.#next = 0;
      if (this.#readings.length > 0) this.#counters.add("telemetry.taken", this.#readings.length);
      else this.#counters.add("telemetry.no-reading");
    }
    return true;
  }

  async close(): Promise<void> {
    this.#messages.return(undefined);
  }
}
