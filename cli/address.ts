// HOST:PORT on the command line.

import { InvalidArgumentError, Option } from "commander";
import { type Address, readAddress } from "../shared/address.js";

/** An option that is an address; its default is shown as it is written. */
export function addressOption(flags: string, description: string, usual: string): Option {
  return new Option(flags, description).argParser(parseAddress).default(parseAddress(usual), usual);
}

/** Parses "127.0.0.1:1883" or "[::1]:1883"; port 0 asks for a free one. */
export function parseAddress(text: string): Address {
  const address = readAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError(`expected HOST:PORT such as 127.0.0.1:1883, got "${text}".`);
}
