// A `headwater` process of the built package, as a user would start it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process and all it has said. */
export class Program {
  stdout = "";
  stderr = "";
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  #heard: () => void = () => undefined;

  private constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#heard();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#heard();
    });
    this.exit = once(this.#child, "close").then(([code, signal]) => {
      this.#heard();
      return { code, signal };
    });
  }

  static start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return new Program(args, env);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until standard output or standard error matches; throws when the process ends before it does. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw this.#silence(pattern);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit;
  }

  /** Resident memory now, in bytes. Linux only. */
  residentBytes(): number {
    const status = readFileSync(join("/proc", String(this.pid), "status"), "utf8");
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  }

  #silence(pattern: RegExp): Error {
    return new Error(`ended without saying ${pattern}\n${this.stdout}\n${this.stderr}`);
  }
}
