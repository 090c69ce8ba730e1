// What a server process is told.

import type { Address } from "../../shared/address.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import type { AlertConfig } from "../alert/desk.js";
import type { Listen } from "../broker/broker.js";

/** How devices reach the server: over a broker of its own, or over one of others. */
export type BrokerConfig =
  | { readonly kind: "embedded"; readonly listeners: readonly Listen[] }
  | { readonly kind: "external"; readonly endpoint: MqttEndpoint };

export interface ServerHostConfig {
  readonly task: LoadedTask;
  /** The data folder; made if it is not there. One process at a time has it. */
  readonly folder: string;
  readonly broker: BrokerConfig;
  /** Where to answer HTTP; absent, nothing of it is loaded. */
  readonly http?: (Address & { readonly token?: string | undefined }) | undefined;
  /** Where to tell what an operator should know; absent, nowhere. */
  readonly alerts?: AlertConfig | undefined;
  /** Where to write event files for TensorBoard; absent, nowhere. */
  readonly tensorboard?: string | undefined;
  /** Root of all chance, for a new folder; drawn if absent. */
  readonly seed?: string | undefined;
}
