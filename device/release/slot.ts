// The model slot: what this device serves, and what it scores beside that. Only a verified, fitting, working version gets
// in, and the last good one stays at hand: for a start without a network, and for the day the new one fails.

import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Manifest, Trial } from "../../shared/wire/message.js";
import type { Observe } from "../fact.js";
import type { KeptModel, ModelCache, ModelRole, RoleChanges } from "../model/cache.js";
import type { BaseModel } from "../model/check.js";
import { type HashedBlob, hashBlob } from "../model/hashed-blob.js";
import type { Choice } from "./choice.js";
import type { FailureReason, Failures } from "./failures.js";
import type { Probation } from "./probation.js";
import { isSameVersion } from "./store.js";
import type { Trialled, VersionTrial } from "./version-trial.js";

/** What became of a new version. `not-stored`: the disk is full or broken, so it may be tried again. */
export type Installed = "installed" | "rejected" | "not-stored";

/** What a slot stands on. */
export interface SlotOptions {
  readonly cache: ModelCache;
  readonly versions: VersionTrial;
  readonly failures: Failures;
  readonly probation: Probation;
  readonly counters: Counters;
  readonly observe: Observe;
  /** What is served, or scored beside it, has changed. */
  readonly onChange: () => void;
}

/** A model that must be fetched, and what for. */
export interface Missing {
  readonly role: "stable" | "trial";
  readonly manifest: Manifest;
}

interface InTrial {
  readonly model: BaseModel;
  readonly mode: Trial["mode"];
}

/** Holds the versions of one release that concern this device. */
export class ModelSlot {
  readonly #options: SlotOptions;
  #stable: BaseModel | undefined;
  #trial: InTrial | undefined;
  /** Stable, beside a canary, gives errors: it is not scored any more. */
  #isBesideBroken = false;
  #announced: { readonly serving: BaseModel | undefined; readonly beside: BaseModel | undefined } = {
    serving: undefined,
    beside: undefined,
  };

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** What makes the predictions. */
  get serving(): BaseModel | undefined {
    return this.#trial?.mode === "canary" ? this.#trial.model : this.#stable;
  }

  /** What is scored on the same rows: the version in shadow, or stable while another is served. */
  get beside(): BaseModel | undefined {
    if (this.#trial === undefined || this.#isBesideBroken) return undefined;
    return this.#trial.mode === "canary" ? this.#stable : this.#trial.model;
  }

  /** Serves what was served last, if it still fits: without a network, and whatever its expiry. */
  restore(choice: Choice | undefined): void {
    this.#restoreStable();
    const trial = choice?.trial;
    const model = trial && this.#readIf("trial", trial.manifest);
    if (trial !== undefined && model !== undefined) this.#trial = { model, mode: trial.mode };
    this.#announce();
  }

  /**
   * Follows a release as far as what is here allows: at once, without a download. `also` runs in the transaction. Gives what
   * has to be fetched.
   */
  follow(choice: Choice, also: () => void): readonly Missing[] {
    const stable = this.#find(choice.stable) ?? this.#stable;
    const trial = choice.trial && this.#find(choice.trial.manifest);
    const changes: RoleChanges = {
      ...(trial === undefined ? { trial: null } : { trial: trial.manifest }),
      ...this.#stableChanges(stable),
    };
    const before = this.serving;
    this.#stable = stable;
    this.#trial = choice.trial && trial && { model: trial, mode: choice.trial.mode };
    this.#isBesideBroken = false;
    this.#arrange(changes, () => {
      also();
      this.#mark(before, isSameVersion(this.serving?.manifest, stable?.manifest));
    });
    this.#announce();
    return this.#missing(choice);
  }

  /** Takes up a version whose manifest has been verified, or says why not; then everything stays as it was. */
  install({ role, manifest }: Missing, blob: HashedBlob, mode: Trial["mode"]): Installed {
    const { cache, counters, probation } = this.#options;
    const tried = this.#options.versions.try(blob, manifest);
    if (!tried.ok) {
      this.#reject(manifest, tried);
      return "rejected";
    }
    const { model } = tried;
    const isServed = role === "trial" ? mode === "canary" : this.#trial?.mode !== "canary";
    const changes: RoleChanges = role === "trial" ? { trial: manifest } : this.#stableChanges(model);
    try {
      cache.arrange(changes, { blob, also: () => isServed && probation.begin(manifest) });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`models.not-stored.${error.code}`);
      this.#refuse(manifest, "not-stored", error.code);
      return "not-stored";
    }
    this.#options.failures.taken(manifest);
    if (role === "trial") this.#trial = { model, mode };
    else this.#stable = model;
    this.#announce();
    return "installed";
  }

  /** What is served does not work: back to the last good version, or to none, without asking anybody. */
  failServing(reason: FailureReason, detail = ""): void {
    const failed = this.serving;
    if (failed === undefined) return;
    this.#fail(failed, reason, detail);
    this.#options.probation.settle();
    if (this.#trial?.model === failed) this.#endTrial();
    else this.#restoreStable();
    this.#announce();
  }

  /** What is scored beside does not work: what is served stays. */
  failBeside(reason: FailureReason, detail = ""): void {
    const failed = this.beside;
    if (failed === undefined) return;
    if (this.#trial?.model !== failed) this.#isBesideBroken = true;
    else {
      this.#fail(failed, reason, detail);
      this.#endTrial();
    }
    this.#announce();
  }

  #fail({ manifest }: BaseModel, reason: FailureReason, detail: string): void {
    this.#options.failures.add(manifest, reason, detail);
    const { version } = manifest;
    this.#options.observe({ type: "version-failed", version, reason, ...(detail !== "" && { detail }) });
  }

  #endTrial(): void {
    this.#trial = undefined;
    this.#arrange({ trial: null });
  }

  #reject(manifest: Manifest, { reason, isFailure, detail }: Extract<Trialled, { ok: false }>): void {
    const { counters, failures, observe } = this.#options;
    counters.add(`models.rejected.${reason}`);
    if (!isFailure) {
      this.#refuse(manifest, reason, detail);
      return;
    }
    failures.add(manifest, "self-check", detail);
    observe({ type: "model-rejected", version: manifest.version, reason, ...(detail && { detail }) });
  }

  #refuse(manifest: Manifest, reason: string, detail?: string): void {
    const { failures, observe } = this.#options;
    if (!failures.refuse(manifest, reason, detail)) return;
    observe({ type: "model-rejected", version: manifest.version, reason, ...(detail && { detail }) });
  }

  /** The stable version, or the one before: whichever still works. */
  #restoreStable(): void {
    this.#stable = undefined;
    for (const role of ["stable", "previous"] as const) {
      const kept = this.#options.cache.read(role);
      if (kept === undefined) continue;
      this.#stable = this.#tryKept(kept);
      if (this.#stable !== undefined) {
        if (role === "previous") this.#arrange({ stable: kept.manifest, previous: null });
        return;
      }
      this.#arrange({ [role]: null });
    }
  }

  /** The kept model of a role, if it is this version and still works. */
  #readIf(role: ModelRole, manifest: Manifest): BaseModel | undefined {
    const kept = this.#options.cache.read(role);
    return kept !== undefined && isSameVersion(kept.manifest, manifest) ? this.#tryKept(kept) : undefined;
  }

  #tryKept({ manifest, blob }: KeptModel): BaseModel | undefined {
    const { counters, failures, versions } = this.#options;
    if (failures.has(manifest)) return undefined;
    const tried = versions.tryKept(hashBlob(blob), manifest);
    if (tried.ok) return tried.model;
    counters.add(`models.not-restored.${tried.reason}`);
    return undefined;
  }

  /** A version that is here, and has not failed. */
  #find(manifest: Manifest): BaseModel | undefined {
    if (this.#options.failures.has(manifest)) return undefined;
    const loaded = [this.#stable, this.#trial?.model].find((model) =>
      isSameVersion(model?.manifest, manifest),
    );
    return loaded ?? this.#readIf("previous", manifest);
  }

  /** What was stable, and worked, is what a new stable version falls back to. */
  #stableChanges(stable: BaseModel | undefined): RoleChanges {
    if (stable === undefined || stable === this.#stable) return {};
    return {
      stable: stable.manifest,
      ...(this.#stable === undefined ? {} : { previous: this.#stable.manifest }),
    };
  }

  #missing({ stable, trial }: Choice): readonly Missing[] {
    const wanted: Missing[] = [{ role: "stable", manifest: stable }];
    if (trial !== undefined) wanted.push({ role: "trial", manifest: trial.manifest });
    const here = { stable: this.#stable, trial: this.#trial?.model };
    return wanted.filter(
      ({ role, manifest }) =>
        !isSameVersion(here[role]?.manifest, manifest) && !this.#options.failures.has(manifest),
    );
  }

  /** Within the transaction that changes what is served: whether the version that is served now must prove itself. */
  #mark(before: BaseModel | undefined, isStable: boolean): void {
    const now = this.serving;
    if (now === undefined || now === before) return;
    if (isStable) this.#options.probation.settle();
    else this.#options.probation.begin(now.manifest);
  }

  // What cannot be written holds until a restart: a roll-back does not wait for a disk.
  #arrange(changes: RoleChanges, also?: () => void): void {
    try {
      this.#options.cache.arrange(changes, { also });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`releases.not-stored.${error.code}`);
    }
  }

  #announce(): void {
    const { serving, beside } = this;
    const before = this.#announced;
    this.#announced = { serving, beside };
    if (serving !== undefined && serving !== before.serving)
      this.#options.observe({ type: "serving", version: serving.manifest.version });
    if (serving !== before.serving || beside !== before.beside) this.#options.onChange();
  }
}
