// Versions on demand: which one a channel means now, for whoever keeps a release cycle of his own.

import type { Clock } from "../../shared/clock.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import { Lru } from "../../shared/lru.js";
import { RateLimit } from "../../shared/rate-limit.js";
import type { DownMessage, Manifest, NoModelReason, UpMessage } from "../../shared/wire/message.js";
import { type KeyPair, signAnswer } from "../../shared/wire/signature.js";
import type { RoundsState } from "../round/state.js";
import type { ModelRegistry } from "./registry.js";

/** Questions of one device: six a minute in the long run, ten at once. */
const RATE = { perSecond: 0.1, burst: 10 } as const;

export interface DemandOptions {
  readonly task: TaskId;
  readonly keys: KeyPair;
  readonly clock: Clock;
  readonly registry: Pick<ModelRegistry, "manifest">;
  /** The version that somebody has given this name. */
  readonly aliasOf: (name: string) => number | undefined;
  /** Devices whose rate is remembered. */
  readonly devices: number;
}

/** Answers. */
export class Demand {
  readonly #options: DemandOptions;
  readonly #rates: Lru<DeviceId, RateLimit>;

  constructor(options: DemandOptions) {
    this.#options = options;
    this.#rates = new Lru(options.devices);
  }

  /** The signed answer; undefined when this device asks too often to get one. */
  answer(device: DeviceId, want: UpMessage<"want">, state: RoundsState): DownMessage<"model"> | undefined {
    const { task, keys, clock } = this.#options;
    const rate = this.#rates.get(device) ?? new RateLimit(RATE);
    this.#rates.set(device, rate);
    if (rate.take(clock.now()) > 0) return undefined;
    const { id, channel } = want;
    const found = this.#find(device, want, state);
    const [manifest, reason] = typeof found === "string" ? [null, found] : [found, null];
    const claim = { v: 1 as const, task, device, id, channel, reason, manifest };
    return { v: 1, id, channel, reason, manifest, signature: signAnswer(keys.privateKey, claim) };
  }

  #find(device: DeviceId, want: UpMessage<"want">, state: RoundsState): Manifest | NoModelReason {
    const { channel, minVersion, accept } = want;
    const version = this.#versionOf(channel, device, state);
    if (version === undefined) return "unknown-channel";
    const manifest = version === 0 ? undefined : this.#options.registry.manifest(version);
    if (manifest === undefined) return "no-version";
    if (manifest.version < minVersion) return "not-newer";
    const { bytes, fingerprint, modelSignature } = accept;
    const isAccepted =
      manifest.bytes <= bytes &&
      (fingerprint ?? manifest.fingerprint) === manifest.fingerprint &&
      (modelSignature ?? manifest.modelSignature) === manifest.modelSignature;
    return isAccepted ? manifest : "not-accepted";
  }

  /** 0: there is none yet. */
  #versionOf(channel: string, device: DeviceId, { stable, head, trial }: RoundsState): number | undefined {
    const { aliasOf } = this.#options;
    switch (channel) {
      case "stable":
        return stable;
      case "head":
        return head;
      // What is being tried; when nothing is, what has been.
      case "canary":
        return trial?.version ?? stable;
      // The alias of its own name, which somebody has to set; until then what all others serve.
      case "own":
        return aliasOf(device.toLowerCase()) ?? stable;
      default:
        return aliasOf(channel);
    }
  }
}
