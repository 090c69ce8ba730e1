// How devices reach this server: over a broker of its own, or as a client of one of others.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Logger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMqttUplink } from "../../shared/transport/mqtt-uplink.js";
import type { Uplink } from "../../shared/transport/port.js";
import { type EmbeddedBroker, startBroker } from "../broker/broker.js";
import type { StatusView } from "../http/schema.js";
import { Admissions } from "./admissions.js";
import type { BrokerConfig } from "./config.js";
import type { ServerFolder } from "./server-folder.js";

/** A way to the devices. */
export interface HostBroker {
  readonly uplink: Uplink;
  /** Undefined over a broker of others. */
  readonly embedded: EmbeddedBroker | undefined;
  readonly urls: readonly string[];
  /** Most data in one chunk or block. */
  readonly chunkBytes: number;
  describe(): StatusView["broker"];
  /** Why devices cannot be reached now, undefined when they can. */
  trouble(): string | undefined;
  /** Accepts nothing more, lets what is being handled end, and disconnects. Asked again, nothing happens. */
  close(): Promise<void>;
}

export interface HostBrokerParts {
  readonly folder: ServerFolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** A whole packet fits what any common broker lets through. */
const FOREIGN_CHUNK_BYTES = 32 * 1024;
/** Our own takes more. */
const OWN_CHUNK_BYTES = 64 * 1024;

/** Opens it. Rejects with `address-unusable` or `config-invalid`. */
export function openHostBroker(config: BrokerConfig, parts: HostBrokerParts): Promise<HostBroker> {
  return config.kind === "embedded" ? embed(config, parts) : join(config, parts);
}

async function embed(
  { listeners }: Extract<BrokerConfig, { kind: "embedded" }>,
  { folder: { enrolled, task }, clock, logger, counters }: HostBrokerParts,
): Promise<HostBroker> {
  const admissions = new Admissions({
    ...{ enrolled, clock, logger },
    disconnect: (device) => broker.disconnect(device),
  });
  const isKnown = admissions.admit.bind(admissions);
  const broker = await startBroker({ listeners, isKnown, clock, logger, counters });
  const stopWatching = admissions.watch();
  return {
    uplink: broker.uplink(task),
    embedded: broker,
    urls: broker.urls,
    chunkBytes: OWN_CHUNK_BYTES,
    describe: () => ({
      kind: "embedded",
      urls: [...broker.urls],
      isConnected: true,
      connections: broker.connections,
      bytesUp: broker.traffic.up,
      bytesDown: broker.traffic.down,
    }),
    trouble: () => undefined,
    close: () => {
      stopWatching();
      return broker.close();
    },
  };
}

async function join(
  { endpoint }: Extract<BrokerConfig, { kind: "external" }>,
  { folder: { brokerFiles, task, seed }, clock, logger, counters }: HostBrokerParts,
): Promise<HostBroker> {
  brokerFiles.serveOver(endpoint);
  // With `use_username_as_clientid` a broker goes by the user name, whatever the client id is.
  const username = endpoint.username ?? brokerFiles.serverUser;
  const uplink = createMqttUplink({
    endpoint: { ...endpoint, ...(username === undefined ? {} : { username }) },
    ...{ task, clock, logger, counters, random: randomStream(seed, "uplink") },
  });
  const { url } = endpoint;
  return {
    uplink,
    embedded: undefined,
    urls: [url],
    chunkBytes: FOREIGN_CHUNK_BYTES,
    describe: () => ({ kind: "external", urls: [url], isConnected: uplink.isConnected }),
    trouble: () => (uplink.isConnected ? undefined : `the broker ${url} cannot be reached`),
    // The server closes its uplink itself.
    close: async () => undefined,
  };
}
