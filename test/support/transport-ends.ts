// The ends of a transport as a test holds them: clients and uplinks that record what happens to them, and what becomes of promises.

import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import type { Link, LinkOptions, Message, Uplink, UplinkMessage } from "../../shared/transport/port.js";

/** A link with a record of what happened to it. */
export interface TestClient {
  readonly clientId: DeviceId;
  readonly link: Link;
  readonly messages: Message[];
  connects: number;
  disconnects: number;
  readonly isConnected: boolean;
}

/** A connected client; by default subscribed to its own down topics of task `t`. */
export async function connectClient(
  harness: { link(): Link; until(condition: () => boolean): Promise<void> },
  name: string,
  options: Partial<LinkOptions> = {},
): Promise<TestClient> {
  const client: TestClient = {
    clientId: device(name),
    link: harness.link(),
    messages: [],
    connects: 0,
    disconnects: 0,
    get isConnected() {
      return this.connects > this.disconnects;
    },
  };
  client.link.open({
    clientId: client.clientId,
    subscriptions: [`hw/1/t/down/${name}/+`],
    onConnected: () => client.connects++,
    onDisconnected: () => client.disconnects++,
    onMessage: (message) => client.messages.push(message),
    ...options,
  });
  await harness.until(() => client.connects === 1);
  return client;
}

export interface ServedUplink {
  readonly uplink: Uplink;
  readonly received: UplinkMessage[];
}

/** An open uplink that records what it is handed. */
export function openUplink(
  harness: { uplink(): Uplink },
  handler: (message: UplinkMessage) => Promise<void> = () => Promise.resolve(),
): ServedUplink {
  const uplink = harness.uplink();
  const received: UplinkMessage[] = [];
  uplink.open((message) => {
    received.push(message);
    return handler(message);
  });
  return { uplink, received };
}

/** A condition that holds once `promise` has resolved, and throws what it rejected with. */
export function settled(promise: Promise<unknown>): () => boolean {
  const outcome = outcomeOf(promise);
  return () => {
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.isSettled;
  };
}

/** A promise the test resolves. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** What became of a promise so far. */
export function outcomeOf(promise: Promise<unknown>): { isSettled: boolean; error: unknown } {
  const outcome: { isSettled: boolean; error: unknown } = { isSettled: false, error: undefined };
  promise.then(
    () => {
      outcome.isSettled = true;
    },
    (error: unknown) => {
      outcome.isSettled = true;
      outcome.error = error;
    },
  );
  return outcome;
}

export function device(name: string): DeviceId {
  return parseDeviceId(name)!;
}

export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}
