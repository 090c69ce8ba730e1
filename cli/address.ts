// HOST:PORT on the command line.

import { InvalidArgumentError } from "commander";

/** Where to listen. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/;

/** Parses "127.0.0.1:1883" or "[::1]:1883"; port 0 asks for a free one. */
export function parseAddress(text: string): Address {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new InvalidArgumentError(`expected HOST:PORT such as 127.0.0.1:1883, got "${text}".`);
}
