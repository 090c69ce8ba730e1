// A client that nobody enrolled: it speaks on topics that are not its own, in bytes that mean nothing, and in
// messages too large for anyone.

import type { DeviceId } from "../../shared/id.js";
import type { Random } from "../../shared/random.js";
import { encodeMessage, MESSAGE_BYTES_MAX } from "../../shared/wire/message.js";
import { downKinds, topics, upKinds } from "../../shared/wire/topic.js";
import { pick } from "../pick.js";
import type { AdversaryOptions } from "./adversary.js";

/** Whom a vandal pretends to be. */
export interface VandalOptions extends AdversaryOptions {
  readonly victims: readonly DeviceId[];
}

const PAUSE_MS = 20_000;

/** Starts it. It goes on while it is active. */
export function releaseVandal(options: VandalOptions): void {
  const { link, id, task, clock, random, isActive } = options;
  link.open({
    clientId: id,
    subscriptions: [topics.task(task)],
    onConnected: () => undefined,
    onDisconnected: () => undefined,
    onMessage: () => undefined,
  });
  const strike = () => {
    if (!isActive()) return;
    publishOne(options);
    clock.after(1 + random.integer(PAUSE_MS), strike);
  };
  clock.after(random.integer(PAUSE_MS), strike);
}

const tricks = ["garbage", "foreign-topic", "impostor-hello", "oversized", "too-large", "stranger"] as const;

function publishOne({ id, task, link, random, counters, victims }: VandalOptions): void {
  const victim = pick(victims, random);
  const trick = pick(tricks, random);
  const [topic, payload] = messageOf(trick, { id, task, victim, random });
  counters.add(`vandal.${trick}`);
  link.publish(topic, payload).catch(() => undefined);
}

function messageOf(
  trick: (typeof tricks)[number],
  { id, task, victim, random }: Pick<VandalOptions, "id" | "task" | "random"> & { readonly victim: DeviceId },
): readonly [topic: string, payload: Uint8Array] {
  const hello = encodeMessage({
    ...{ v: 1, taskHash: null, stable: null, eligible: true, reason: null, pending: null, labels: {} },
    examples: { train: 1e6, validation: 1e6 },
  });
  switch (trick) {
    case "garbage":
      return [topics.up(task, id, pick(upKinds, random)), randomBytes(1 + random.integer(300), random)];
    case "foreign-topic":
      return [
        topics.down(task, victim, pick(downKinds, random)),
        randomBytes(1 + random.integer(300), random),
      ];
    case "impostor-hello":
      return [topics.up(task, victim, "hello"), hello];
    case "oversized":
      return [topics.up(task, id, "chunk"), new Uint8Array(MESSAGE_BYTES_MAX + 1)];
    // More than the broker lets through: it cuts the connection.
    case "too-large":
      return [topics.up(task, id, "chunk"), new Uint8Array(1024 * 1024)];
    case "stranger":
      return [topics.up(task, id, "hello"), hello];
  }
}

function randomBytes(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256));
}
