import type { Handler } from "./context.js";

// Waits of a device we have no key for: somebody has to enrol it first.
const STRANGER_RETRY_MS = 300_000;

/** A device is there: it gets work, or is told when to ask again. */
export const handleHello: Handler<"hello"> = async (context, device, hello) => {
  const { clock, coordinator, devices, downlink, drops, fleet, minExamples, taskHash } = context;
  if (devices.publicKey(device) === undefined) {
    drops.drop(device, "unknown-device");
    await downlink.send(device, "wait", { v: 1, retryMs: STRANGER_RETRY_MS, reason: "unknown-device" });
    return;
  }
  fleet.greeted(device, hello, clock.now());
  const isAble = hello.eligible && hello.taskHash === taskHash;
  await coordinator.post({
    type: "hello",
    device,
    canTrain: isAble && hello.examples.train >= minExamples,
    canEvaluate: isAble && hello.examples.validation > 0,
    labels: hello.labels,
  });
};
