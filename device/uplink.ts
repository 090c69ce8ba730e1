// The connection to a server's broker, as whom a credential says.

import { createMqttLink, type MqttLinkOptions } from "../shared/transport/mqtt-link.js";
import type { Link } from "../shared/transport/port.js";
import type { Credential } from "../shared/wire/credential.js";

/** A server's uplink broker; `ca`: certificates to trust instead of the system's, as PEM. */
export interface UplinkBroker {
  readonly url: string;
  readonly ca?: string | undefined;
}

/** A link, not yet open. */
export function createUplink(
  { url, ca }: UplinkBroker,
  { device, password }: Pick<Credential, "device" | "password">,
  parts: Omit<MqttLinkOptions, "endpoint">,
): Link {
  const endpoint = { url, username: device, password, ...(ca === undefined ? {} : { ca }) };
  return createMqttLink({ endpoint, ...parts });
}
