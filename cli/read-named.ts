// Small files that the command line names.

import { readFileSync } from "node:fs";
import { HeadwaterError, messageOf } from "../shared/error.js";
import { type Credential, parseCredential } from "../shared/wire/credential.js";

/** The text of a file. Throws `config-invalid`, saying `what` it was to be. */
export function readNamed(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HeadwaterError("config-invalid", `cannot read the ${what} ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** A credential that `headwater enrol` wrote. Throws `config-invalid`. */
export function readCredential(path: string): Credential {
  const parsed = parseCredential(readNamed(path, "credential"));
  if (parsed.ok) return parsed.credential;
  throw new HeadwaterError("config-invalid", `${path} is no credential: ${parsed.problem}`);
}
