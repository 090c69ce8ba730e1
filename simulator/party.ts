// One machine of a simulation: disks that outlive every crash, and the process that runs on them, again and again.

import type { Clock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import type { Disk } from "./disk.js";
import { type CrashPoint, Life, ProcessGone } from "./life.js";

/** When whoever supervises processes starts one again that could not start. */
const SUPERVISOR_MS = 10_000;

/** A machine, and how a process is started on it. */
export interface PartyOptions<Program> {
  readonly clock: Clock;
  readonly disks: Readonly<Record<string, Disk>>;
  /** A new process. Everything it touches is guarded by `life`. */
  readonly build: (life: Life) => Promise<Program>;
  readonly start: (program: Program) => Promise<void>;
  /** The process has died, whatever of. */
  readonly onDeath?: () => void;
}

/** Starts, kills and restarts one party. */
export class Party<Program> {
  readonly disks: Readonly<Record<string, Disk>>;
  readonly #options: PartyOptions<Program>;
  #life: Life | undefined;
  #program: Program | undefined;
  #hasStarted = false;

  constructor(options: PartyOptions<Program>) {
    this.#options = options;
    this.disks = options.disks;
  }

  /** The process, once it is built and as long as it lives. */
  get program(): Program | undefined {
    return this.#program;
  }

  /** True while a process runs that has found its place again. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Starts a process if none runs; resolves when it has started. Rejects on a mistake of ours. */
  async start(): Promise<void> {
    if (this.#life !== undefined) return;
    const life = new Life();
    this.#life = life;
    life.onEnd(() => this.#died());
    try {
      this.#program = await life.hear(this.#options.build(life));
      await life.hear(this.#options.start(this.#program));
      this.#hasStarted = true;
    } catch (error) {
      if (error instanceof ProcessGone) return;
      if (!(error instanceof HeadwaterError)) throw error;
      life.end();
      this.#options.clock.after(SUPERVISOR_MS, () => void this.start());
    }
  }

  /** Kills the process, if one runs, between two events. */
  crash(): void {
    this.#life?.end();
  }

  /** Has the process die in the middle of what it does, if it gets that far. */
  crashAt(point: CrashPoint): void {
    this.#life?.dieAt(point);
  }

  #died(): void {
    this.#life = undefined;
    this.#program = undefined;
    this.#hasStarted = false;
    this.#options.onDeath?.();
  }
}
