// Which start of the machine this is.

import { readFileSync } from "node:fs";

/** Linux draws it at every start of the machine (random(4)), also for its containers. */
const PATH = "/proc/sys/kernel/random/boot_id";

/** The same until the machine starts again; undefined where the system does not tell. */
export function bootId(path = PATH): string | undefined {
  try {
    const id = readFileSync(path, "utf8").trim();
    return id === "" ? undefined : id;
  } catch {
    return undefined;
  }
}
