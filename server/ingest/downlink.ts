// Messages to devices. One that cannot be handed over is counted and forgotten: the device will ask again.

import type { Counters } from "../../shared/counters.js";
import { messageOf } from "../../shared/error.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Uplink } from "../../shared/transport/port.js";
import { type DownMessage, encodeToSend } from "../../shared/wire/message.js";
import { type DownKind, topics } from "../../shared/wire/topic.js";
import type { FleetRegistry } from "../fleet/registry.js";

export interface DownlinkOptions {
  readonly task: TaskId;
  readonly uplink: Uplink;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly fleet: Pick<FleetRegistry, "carried">;
}

/** Sends to one device at a time. */
export class Downlink {
  readonly #options: DownlinkOptions;

  constructor(options: DownlinkOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async send<Kind extends DownKind>(device: DeviceId, kind: Kind, message: DownMessage<Kind>): Promise<void> {
    const { task, uplink, counters, logger, fleet } = this.#options;
    const payload = encodeToSend(message as DownMessage);
    fleet.carried(device, { down: payload.length });
    try {
      await uplink.send(device, topics.down(task, device, kind), payload);
    } catch (error) {
      counters.add("send-failed");
      logger.debug({ device, kind, error: messageOf(error) }, "could not send");
    }
  }
}
