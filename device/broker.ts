// A broker as the device's owner writes it into the config.

import { z } from "zod";
import { type MqttEndpoint, parseEndpoint } from "../shared/transport/mqtt-endpoint.js";

const URL_RULE = "expected mqtt://, mqtts://, ws:// or wss:// and a host, such as mqtt://192.168.1.10:1883";

/** The address of a broker. */
export const brokerUrl = z
  .string({ error: URL_RULE })
  .refine((text) => isEndpoint(text), { error: URL_RULE });

const secret = z.string().max(1024).optional();

/** The keys that name a broker and let the device in. */
export const brokerShape = { broker: brokerUrl, username: secret, password: secret };

/** The endpoint behind those keys. */
export function endpointOf({ broker: url, username, password }: WrittenBroker): MqttEndpoint {
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

interface WrittenBroker {
  readonly broker: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

function isEndpoint(text: string): boolean {
  try {
    parseEndpoint({ url: text });
    return true;
  } catch {
    return false;
  }
}
