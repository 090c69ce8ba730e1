// Which Headwater this is.

import { createRequire } from "node:module";

/** As its package says. */
export function headwaterVersion(): string {
  // By its own name, so that it is found from the sources and from the build alike; an import would copy it into the
  // build, where it would shadow the real one.
  const { version } = createRequire(import.meta.url)("headwater/package.json") as {
    readonly version: string;
  };
  return version;
}
