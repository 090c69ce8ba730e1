// What connects a simulated process with its world, cut the moment the process is killed: nothing reaches it any
// more, and nothing it still does has an effect.

import type { Trainer } from "../device/train/trainer.js";
import type { Clock } from "../shared/clock.js";
import type { MemoryLink } from "../shared/transport/memory-link.js";
import type { MemoryUplink } from "../shared/transport/memory-uplink.js";
import type { Link, Uplink } from "../shared/transport/port.js";
import type { Life } from "./life.js";

/** The clock: timers of the dead never fire. */
export function guardClock(clock: Clock, life: Life): Clock {
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after: (delayMs, action) => clock.after(delayMs, () => life.call(action)),
    turn: () => life.hear(clock.turn()),
  };
}

/** A device's link: it breaks with the process, without a farewell. */
export function guardLink(link: MemoryLink, life: Life): Link {
  life.onEnd(() => link.abandon());
  return {
    open: (options) =>
      life.call(() => {
        link.open({
          ...options,
          onConnected: () => life.call(options.onConnected),
          onDisconnected: () => life.call(options.onDisconnected),
          onMessage: (message) => life.call(() => options.onMessage(message)),
        });
      }),
    keepaliveMs: link.keepaliveMs,
    chunkBytes: () => link.chunkBytes(),
    publish: (topic, payload, options) => life.hear(link.publish(topic, payload, options)),
    close: () => life.hear(link.close()),
  };
}

/** The server's uplink: what the dead was handed gets no acknowledgement. */
export function guardUplink(uplink: MemoryUplink, life: Life): Uplink {
  life.onEnd(() => uplink.abandon());
  return {
    open: (handler) => life.call(() => uplink.open(handler)),
    send: (deviceId, topic, payload) => life.hear(uplink.send(deviceId, topic, payload)),
    retain: (topic, payload) => life.hear(uplink.retain(topic, payload)),
    close: () => life.hear(uplink.close()),
  };
}

/** A device's trainer: the dead never learn what came of their jobs. */
export function guardTrainer(trainer: Trainer, life: Life): Trainer {
  return {
    engine: trainer.engine,
    run: (job, signal) => life.hear(trainer.run(job, signal)),
    close: () => Promise.resolve(),
  };
}
