// Carries out commands: sends, publishes, tells, and has versions made in the background.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { ServerFact } from "../fact.js";
import type { FleetRegistry } from "../fleet/registry.js";
import type { Downlink } from "../ingest/downlink.js";
import type { ReceiptStore } from "../ingest/receipts.js";
import type { VersionMaker } from "../model/maker.js";
import type { Publisher } from "../model/publisher.js";
import type { ModelRegistry } from "../model/registry.js";
import type { FleetView } from "../monitor/fleet-view.js";
import type { Command, MakeCommand, Word, Write } from "./command.js";
import type { Occurrence } from "./event.js";
import { roundSeed } from "./seed.js";
import type { RoundsState } from "./state.js";

/** When a version that the disk refused is tried again. */
const RETRY_MS = 5_000;

export interface EffectsOptions {
  readonly seed: string;
  readonly chunkBytes: number;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly fleet: FleetRegistry;
  readonly downlink: Downlink;
  readonly receipts: ReceiptStore;
  readonly registry: ModelRegistry;
  readonly maker: VersionMaker;
  readonly publisher: Publisher;
  readonly fleetView: FleetView;
  readonly observe: (fact: ServerFact) => void;
  readonly post: (occurrence: Occurrence, attached: readonly Write[]) => Promise<void>;
  /** Told of our own mistakes. */
  readonly fail: (error: unknown) => void;
}

/** The hands of the coordinator. */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #abort = new AbortController();

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Resolves when the command is carried out, or for a version when making it has begun. */
  async execute(command: Command, state: RoundsState): Promise<void> {
    const { downlink, observe } = this.#options;
    switch (command.type) {
      case "offer":
        return this.#offer(command.device, state);
      case "wait": {
        const { device, retryMs, reason } = command;
        return downlink.send(device, "wait", { v: 1, retryMs, reason });
      }
      case "word":
        return this.#giveWord(command.word);
      case "publish":
        this.#publish(command);
        return undefined;
      case "release":
        return this.#release(command);
      case "pool-evidence":
        // Not awaited: its event waits in the inbox behind what is being handled now.
        void this.#poolEvidence(command, state);
        return undefined;
      case "tell":
        observe(command.fact);
        return undefined;
      default:
        // Not awaited: the inbox goes on while a version is being made, and its event comes back through it.
        void this.#make(command);
        return undefined;
    }
  }

  /** Abandons versions being made. */
  stop(): void {
    this.#abort.abort();
  }

  async #offer(device: DeviceId, { open, sinceMs }: RoundsState): Promise<void> {
    const { clock, downlink, fleet, registry, seed, chunkBytes } = this.#options;
    if (open === null || !fleet.isConnected(device)) return;
    const { round, kind, baseVersion, deadlineMs } = open;
    const beside = open.beside?.flatMap((version) => registry.manifest(version) ?? []);
    await downlink.send(device, "offer", {
      v: 1,
      round,
      kind,
      manifest: kind === "fit" ? null : (registry.manifest(baseVersion) ?? null),
      ...(beside && { beside }),
      sinceMs,
      seed: roundSeed(seed, round),
      remainingMs: Math.max(0, deadlineMs - clock.now()),
      chunkBytes,
    });
  }

  async #giveWord(word: Word): Promise<void> {
    const { counters, downlink, fleet, receipts } = this.#options;
    if (word.reason === null) counters.add("update-accepted");
    else {
      counters.add(`update-rejected.${word.reason}`);
      fleet.rejected(word.device, word.reason);
    }
    await downlink.send(word.device, "receipt", receipts.sign(word));
  }

  #publish({ line, version }: Command & { readonly type: "publish" }): void {
    const { observe, registry } = this.#options;
    const manifest = registry.manifest(version);
    if (manifest !== undefined) observe({ type: "version-published", line, manifest });
  }

  async #release({ sequence, stable, trial }: Command & { readonly type: "release" }): Promise<void> {
    const { publisher, registry } = this.#options;
    const manifest = registry.manifest(stable);
    if (manifest === undefined) return this.#miss(stable);
    if (trial === null) return publisher.publishRelease({ sequence, stable: manifest, trial: null });
    const { version, ...terms } = trial;
    const tried = registry.manifest(version);
    // Devices are told the same word again once it has ended.
    if (tried === undefined) return this.#miss(version);
    return publisher.publishRelease({ sequence, stable: manifest, trial: { manifest: tried, ...terms } });
  }

  /** What is in service is kept, unless somebody has been at the database: devices stay with what they have. */
  #miss(version: number): void {
    const { counters, logger } = this.#options;
    counters.add("releases.version-missing");
    logger.error({ version }, "a version in service is not kept: devices cannot be told to serve it");
    void this.#postLater({ type: "version-missing", version });
  }

  #poolEvidence(
    { version, step }: Command & { readonly type: "pool-evidence" },
    state: RoundsState,
  ): Promise<void> {
    const evidence = this.#options.fleetView.evidence(state);
    return this.#postLater({ type: "trial-evidence", version, step, evidence });
  }

  async #postLater(occurrence: Occurrence): Promise<void> {
    const { fail, post } = this.#options;
    try {
      await post(occurrence, []);
    } catch (error) {
      // What the disk refuses is asked for again: with the next check, or the next start.
      if (!(error instanceof HeadwaterError)) fail(error);
    }
  }

  async #make(command: MakeCommand): Promise<void> {
    const { counters, clock, fail, logger, maker, post } = this.#options;
    const { signal } = this.#abort;
    const round = "round" in command ? command.round : 0;
    try {
      const made = await maker.make(command, signal);
      if (made === undefined) return await post({ type: "unfoldable", round }, []);
      const { version } = command;
      await post({ type: "version-made", round, version }, [{ type: "version", ...made }]);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HeadwaterError)) return fail(error);
      counters.add("journal-failed");
      logger.error({ round, error: messageOf(error), retryMs: RETRY_MS }, "could not store the new version");
      clock.after(RETRY_MS, () => void (signal.aborted ? undefined : this.#make(command)));
    }
  }
}
