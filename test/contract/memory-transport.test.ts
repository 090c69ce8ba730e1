import { createMemoryBroker } from "../../shared/transport/memory.js";
import { ManualClock } from "../support/manual-clock.js";
import { transportContract } from "./transport.js";

transportContract("the memory broker", async () => {
  const clock = new ManualClock();
  const broker = createMemoryBroker({ clock });
  return {
    link: () => broker.link(),
    uplink: () => broker.uplink(),
    until: (condition) => clock.until(condition),
    cut: (clientId) => broker.disconnect(clientId, { abrupt: true }),
    ackTimeout: () => clock.advance(10_000),
    close: async () => undefined,
  };
});
