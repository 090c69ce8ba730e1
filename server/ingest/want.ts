import type { Handler } from "./context.js";

/** Somebody asks for a model by channel. Who is not enrolled or asks too often gets no answer. */
export const handleWant: Handler<"want"> = async (context, device, want) => {
  const { coordinator, demand, devices, downlink, drops } = context;
  if (devices.publicKey(device) === undefined) {
    drops.drop(device, "unknown-device");
    return;
  }
  const answer = demand.answer(device, want, coordinator.state);
  if (answer === undefined) drops.drop(device, "too-many-wants");
  else await downlink.send(device, "model", answer);
};
