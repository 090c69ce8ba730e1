// Which Headwater this is.

import { createRequire } from "node:module";

/** By its own name, so that it is found from the sources and from the build alike. */
export function headwaterVersion(): string {
  const { version } = createRequire(import.meta.url)("headwater/package.json") as {
    readonly version: string;
  };
  return version;
}
