// What the decoders of a task remember, as one part of a checkpoint: readings that come of the messages after it are
// then those of a device that was never restarted.

import type { Saved, Stateful } from "../../../shared/pipeline/state.js";
import type { Decode } from "./port.js";

/** The memory of these decoders, by the task's names for their sources. Restoring null: nothing has been decoded. */
export function memoryOf(decoders: ReadonlyMap<string, Decode>): Stateful {
  return {
    save: () => [...decoders].flatMap(([name, { memory }]) => (memory ? [[name, memory.save()]] : [])),
    restore(saved) {
      const found = new Map(saved as readonly (readonly [string, Saved])[] | null); // as `save` made it
      for (const [name, { memory }] of decoders) memory?.restore(found.get(name) ?? null);
    },
  };
}
